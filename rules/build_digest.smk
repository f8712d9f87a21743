# all analyses and reports of a group → <results>/digests/{group}.md, .html


rule build_digest:
    input:
        analyses=analyses_of_group,
        reports=reports_of_group,
    output:
        digest=update("<results>/digests/{group}.md"),  # never removed: it may be edited
        page="<results>/digests/{group}.html",
    log:
        "logs/build_digest/{group}.log",
    conda:
        "../envs/local.yaml"
    params:
        group=group_as_json,
        page_digest=page_digest,
        link_pages=reports_have_pages,
    script:
        "../scripts/build_digest.py"
