# an analysis and its frames → <results>/reports/{template}/{video}.md, .html


rule render_report:
    input:
        analysis="<results>/analyses/{template}/{video}.json",
        frames=["<results>/reports/{template}/{video}.assets"] if settings.frames else [],
    output:
        report=update("<results>/reports/{template}/{video}.md"),  # never removed: it may be edited
        page="<results>/reports/{template}/{video}.html",
    log:
        "logs/render_report/{template}/{video}.log",
    priority: PRIORITY
    conda:
        "../envs/local.yaml"
    threads: 0  # so that it goes on beside all that wait for an engine
    params:
        target=target_as_json,
        results=results_folder,
        layout_digest=layout_digest,
    script:
        "../scripts/render_report.py"
