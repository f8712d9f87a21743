# what a run would make, why and for how much → on the terminal


rule plan:
    log:
        "logs/plan.log",
    conda:
        "../envs/gemini.yaml"
    params:
        config=config_as_json,
        targets=every_target_as_json,
        layouts=layouts_of_templates,
        jobs=cores_of_run,
    script:
        "../scripts/plan.py"
