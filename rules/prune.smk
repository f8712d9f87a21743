# what no row wants any more → a list of it; with `--config prune=yes` it is deleted


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
