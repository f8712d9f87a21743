# what a run would make and cost; how things stand; whether all is there → on the terminal


rule plan:
    localrule: True
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


rule status:
    localrule: True
    log:
        "logs/status.log",
    conda:
        "../envs/gemini.yaml"
    params:
        config=config_as_json,
        targets=every_target_as_json,
        layouts=layouts_of_templates,
    script:
        "../scripts/status.py"


rule doctor:
    localrule: True
    log:
        "logs/doctor.log",
    conda:
        "../envs/gemini.yaml"
    params:
        config=config_as_json,
    script:
        "../scripts/doctor.py"
