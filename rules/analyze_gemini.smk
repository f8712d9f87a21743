# a video → <results>/analyses/{template}/{video}.json, by Gemini


rule analyze_video:
    input:
        video=video_file,
    output:
        analysis="<results>/analyses/{template}/{video}.json",
    log:
        "logs/analyze_video/{template}/{video}.log",
    priority: report_priority
    conda:
        "../envs/gemini.yaml"
    params:
        target=target_as_json,
        fingerprint=video_fingerprint,
        request_digest=request_digest,
        settings=settings.gemini.model_dump_json(),
        results=results_folder,
    script:
        "../scripts/analyze_gemini.py"
