# a video and its analysis → <results>/reports/{template}/{video}.assets/*.jpg


rule extract_frames:
    input:
        video=video_file,
        analysis="<results>/analyses/{template}/{video}.json",
    output:
        frames=directory("<results>/reports/{template}/{video}.assets"),
    log:
        "logs/extract_frames/{template}/{video}.log",
    priority: FINISHING_PRIORITY
    conda:
        "../envs/local.yaml"
    params:
        target=target_as_json,
    shell:
        'in_gateway extract_frames --target={params.target:q} --results="$RESULTS"'
        " --log={log:q} --analysis={input.analysis:q} --frames={output.frames:q}"
