# an address on the web → <results>/.reelmake/fetched/web/{fetched}, when an engine needs its bytes
# an object in a bucket → <results>/.reelmake/fetched/bucket/{fetched}, by Snakemake's storage plugins


rule fetch_video:
    output:
        video="<results>/.reelmake/fetched/web/{fetched}",
    log:
        "logs/fetch_video/{fetched}.log",
    conda:
        "../envs/local.yaml"
    params:
        url=source_of_fetched,
        results=results_folder,
    script:
        "../scripts/fetch_video.py"


rule copy_from_bucket:
    input:
        video=bucket_object,
    output:
        video="<results>/.reelmake/fetched/bucket/{fetched}",
    log:
        "logs/copy_from_bucket/{fetched}.log",
    conda:
        "../envs/local.yaml"
    shell:
        "cp {input.video:q} {output.video:q} 2> {log:q}"
