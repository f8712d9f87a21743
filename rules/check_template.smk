# the template of the configuration → what is wrong or odd about it, on the terminal


rule check_template:
    log:
        "logs/check_template.log",
    localrule: True
    conda:
        "../envs/local.yaml"
    params:
        name=settings.template,
        python=sys.executable,
        script=SCRIPTS / "check_template.py",
    shell:
        "{params.python:q} {params.script:q} {params.name:q} 2>&1 | tee {log:q}"
