# all analyses and reports of a group → <results>/digests/{group}.md → .html


rule build_digest:
    input:
        analyses=analyses_of_group,
        reports=reports_of_group,
    output:
        digest=update("<results>/digests/{group}.md"),  # never removed: it may be edited
    log:
        "logs/build_digest/{group}.log",
    retries: 0  # also where a profile says more: each would pay for `max_attempts` answers
    conda:
        "../envs/local.yaml"
    params:
        target=digest_as_json,
        group=group_as_json,
        results=results_folder,
        engine=settings.engine,
        request=DIGEST_REQUEST,
    script:
        "../scripts/build_digest.py"


rule export_digest:
    input:
        digest="<results>/digests/{group}.md",
    output:
        page="<results>/digests/{group}.html",
    log:
        "logs/export_digest/{group}.log",
    conda:
        "../envs/local.yaml"
    params:
        page_digest=page_digest,
    script:
        "../scripts/export_digest.py"
