# a video → <results>/analyses/{template}/{video}.json, by Gemini


rule analyze_video:
    input:
        video=video_file,
    output:
        analysis="<results>/analyses/{template}/{video}.json",
    log:
        "logs/analyze_video/{template}/{video}.log",
    priority: priority_of
    conda:
        "../envs/gemini.yaml"
    params:
        target=target_as_json,
        fingerprint=video_fingerprint,
        request_digest=request_digest,
        request_settings=settings.gemini.request_settings(),
        results=results_folder,
    shell:
        "in_gateway analyze_gemini --target={params.target:q} --results={params.results:q}"
        ' --log={log:q} --settings="$GEMINI_SETTINGS" --analysis={output.analysis:q}'
