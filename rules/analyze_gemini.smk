# a video → <results>/analyses/{template}/{video}.json, by Gemini


rule analyze_video:
    input:
        video=video_file,
    output:
        analysis="<results>/analyses/{template}/{video}.json",
    log:
        "logs/analyze_video/{template}/{video}.log",
    priority: PRIORITY
    conda:
        "../envs/gemini.yaml"
    resources:
        gemini_calls=1,
    params:
        target=target_as_json,
        request=request_state,
    shell:
        'in_gateway analyze_gemini --target={params.target:q} --results="$RESULTS"'
        ' --log={log:q} --settings="$GEMINI_SETTINGS" --analysis={output.analysis:q}'
