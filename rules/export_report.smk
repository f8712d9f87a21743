# a report and its analysis → <results>/reports/{template}/{video}.docx, .pdf, .srt, …


rule export_report:
    input:
        report="<results>/reports/{template}/{video}.md",
        analysis="<results>/analyses/{template}/{video}.json",
    output:
        document="<results>/reports/{template}/{video}.{ending}",
    log:
        "logs/export_report/{template}/{video}.{ending}.log",
    wildcard_constraints:
        ending=r"docx|pdf|srt|vtt|json|anki\.txt",
    priority: FINISHING_PRIORITY
    conda:
        "../envs/local.yaml"
    params:
        target=target_as_json,
        page_digest=page_digest,
    shell:
        'in_gateway export_report --target={params.target:q} --results="$RESULTS"'
        " --log={log:q} --report={input.report:q} --analysis={input.analysis:q}"
        " --document={output.document:q}"
