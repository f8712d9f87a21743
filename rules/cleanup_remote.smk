# uploaded videos that are on record → deleted at the service


rule cleanup_remote:
    log:
        "logs/cleanup_remote.log",
    conda:
        "../envs/gemini.yaml"
    params:
        gemini=gemini_as_json,
        results=results_folder,
    script:
        "../scripts/cleanup_remote.py"
