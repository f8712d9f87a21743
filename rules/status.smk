# how things stand → on the terminal, summary.tsv, failures.tsv


rule status:
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
