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
    priority: PRIORITY
    conda:
        "../envs/local.yaml"
    threads: 0  # so that it goes on beside all that wait for an engine
    params:
        target=target_as_json,
        results=results_folder,
        page_digest=page_digest,
    script:
        "../scripts/export_report.py"
