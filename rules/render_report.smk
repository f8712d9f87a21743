# an analysis and its frames → <results>/reports/{template}/{video}.md


rule render_report:
    input:
        analysis="<results>/analyses/{template}/{video}.json",
        frames=frames_of_report,
    output:
        report=update("<results>/reports/{template}/{video}.md"),  # never removed: it may be edited
    log:
        "logs/render_report/{template}/{video}.log",
    conda:
        "../envs/local.yaml"
    params:
        target=target_as_json,
        layout_digest=layout_digest,
        results=results_folder,
    script:
        "../scripts/render_report.py"
