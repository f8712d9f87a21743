# all reports → <results>/index.html, summary.tsv, failures.tsv


rule build_index:
    input:
        reports=every_report(),
        exports=every_export(),
        digests=every_digest(),
    output:
        index="<results>/index.html",
        summary="<results>/summary.tsv",
        failures="<results>/failures.tsv",
        complete=touch("<results>/.reelmake/index-complete"),
    log:
        "logs/build_index.log",
    conda:
        "../envs/local.yaml"
    params:
        results=results_folder,
        language=pages_language,
    script:
        "../scripts/build_index.py"
