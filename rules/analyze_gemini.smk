# a video → <results>/analyses/{template}/{video}.json, by Gemini


rule analyze_video:
    input:
        video=video_file,
    output:
        analysis="<results>/analyses/{template}/{video}.json",
    log:
        "logs/analyze_video/{template}/{video}.log",
    priority: PRIORITY
    retries: 0  # also where a profile says more: each would pay for `max_attempts` answers
    conda:
        "../envs/gemini.yaml"
    threads: 0 if settings.gemini.tier == "batch" else 1  # hours of waiting take no place of -j
    resources:
        gemini_calls=1,
    params:
        target=target_as_json,
        results=results_folder,
        request=request_state,
    script:
        "../scripts/analyze_gemini.py"
