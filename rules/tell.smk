# what a run would make and cost; how things stand; whether all is there → on the terminal


rule plan:
    log:
        "logs/plan.log",
    localrule: True
    conda:
        "../envs/gemini.yaml"
    params:
        config=config_as_json,
        targets=every_target_as_json,
        laid_out_otherwise=reports_laid_out_otherwise,
        jobs=cores_of_run,
    script:
        "../scripts/plan.py"


rule status:
    log:
        "logs/status.log",
    localrule: True
    conda:
        "../envs/gemini.yaml"
    params:
        config=config_as_json,
        targets=every_target_as_json,
        laid_out_otherwise=reports_laid_out_otherwise,
    script:
        "../scripts/status.py"


rule doctor:
    log:
        "logs/doctor.log",
    localrule: True
    conda:
        "../envs/gemini.yaml"
    params:
        config=config_as_json,
    script:
        "../scripts/doctor.py"
