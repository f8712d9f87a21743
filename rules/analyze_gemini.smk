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
    params:
        target=target_as_json,
        request=request_state,
    shell:
        "reelmake analyze_gemini --target={params.target:q} --results={settings.results:q}"
        " --log={log:q} --settings={GEMINI_SETTINGS:q} --analysis={output.analysis:q}"
