# a video → <results>/analyses/{template}/{video}.json, by the offline engine


rule analyze_video:
    input:
        video=video_file,
    output:
        analysis="<results>/analyses/{template}/{video}.json",
    log:
        "logs/analyze_video/{template}/{video}.log",
    priority: PRIORITY
    conda:
        "../envs/local.yaml"
    threads: 2
    params:
        target=target_as_json,
        request=request_state,
        results=results_folder,
        speech_model=settings.local.speech_model,
    script:
        "../scripts/analyze_local.py"
