# a video and its analysis → <results>/reports/{template}/{video}.assets/*.jpg


rule extract_frames:
    input:
        video=video_file,
        analysis="<results>/analyses/{template}/{video}.json",
    output:
        frames=directory("<results>/reports/{template}/{video}.assets"),
    log:
        "logs/extract_frames/{template}/{video}.log",
    priority: PRIORITY
    conda:
        "../envs/local.yaml"
    threads: 0  # so that it goes on beside all that wait for an engine
    params:
        target=target_as_json,
        results=results_folder,
    script:
        "../scripts/extract_frames.py"
