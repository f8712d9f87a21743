# a report → <results>/reports/{template}/{video}.html, .docx, .pdf
# its analysis → <results>/reports/{template}/{video}.srt, .vtt, .json, .anki.txt


rule export_report:
    input:
        report="<results>/reports/{template}/{video}.md",
    output:
        document="<results>/reports/{template}/{video}.{format}",
    log:
        "logs/export_report/{template}/{video}.{format}.log",
    wildcard_constraints:
        format="html|docx|pdf",
    conda:
        "../envs/local.yaml"
    params:
        target=target_as_json,
        page_digest=page_digest,
        results=results_folder,
    script:
        "../scripts/export_report.py"


rule export_analysis:
    input:
        analysis="<results>/analyses/{template}/{video}.json",
    output:
        document="<results>/reports/{template}/{video}.{ending}",
    log:
        "logs/export_analysis/{template}/{video}.{ending}.log",
    wildcard_constraints:
        ending=r"srt|vtt|json|anki\.txt",
    conda:
        "../envs/local.yaml"
    params:
        target=target_as_json,
        results=results_folder,
    script:
        "../scripts/export_analysis.py"
