# an analysis and its frames → <results>/reports/{template}/{video}.md, .html


rule render_report:
    input:
        analysis="<results>/analyses/{template}/{video}.json",
        frames=frames_of_report,
    output:
        report=update("<results>/reports/{template}/{video}.md"),  # never removed: it may be edited
        page="<results>/reports/{template}/{video}.html",
    log:
        "logs/render_report/{template}/{video}.log",
    priority: FINISHING_PRIORITY
    conda:
        "../envs/local.yaml"
    params:
        target=target_as_json,
        layout_digest=layout_digest,
    shell:
        'in_gateway render_report --target={params.target:q} --results="$RESULTS"'
        " --log={log:q} --analysis={input.analysis:q} --frames={input.frames:q}"
        " --report={output.report:q} --page={output.page:q}"
