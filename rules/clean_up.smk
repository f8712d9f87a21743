# what no row wants any more → deleted if asked; what was uploaded → deleted at the service


rule prune:
    log:
        "logs/prune.log",
    localrule: True
    conda:
        "../envs/local.yaml"
    params:
        targets=every_target_as_json,
        results=results_folder,
        delete=settings.prune,
    script:
        "../scripts/prune.py"


rule cleanup_remote:
    log:
        "logs/cleanup_remote.log",
    localrule: True
    conda:
        "../envs/gemini.yaml"
    params:
        gemini=gemini_as_json,
        results=results_folder,
    script:
        "../scripts/cleanup_remote.py"
