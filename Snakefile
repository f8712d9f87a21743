# reelmake: each Markdown report is a target file, built from a video.
#
# <results>/analyses/{template}/{video}.json             what the engine found, validated
# <results>/reports/{template}/{video}.md, .assets/*.jpg the report with its pictures
# <results>/reports/{template}/{video}.html, .docx, …   the same in other formats
# <results>/digests/{group}.md, .html                   the reports of a tag or column, together
# <results>/index.html, summary.tsv, failures.tsv        all of them at a glance
#
# {template}: a folder of templates/. {video}: a row of the table. {group}: see `digest:`.

from pathlib import Path

from snakemake.utils import min_version

min_version("9.27.1")


if Path("config.yaml").exists():

    configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/settled.smk"
include: "rules/cluster.smk"
include: "rules/hooks.smk"


pathvars:
    results=settings.results,


include: "rules/fetch_video.smk"
include: f"rules/analyze_{settings.engine}.smk"
include: "rules/extract_frames.smk"
include: "rules/render_report.smk"
include: "rules/export_report.smk"
include: "rules/build_digest.smk"
include: "rules/build_index.smk"
include: "rules/tell.smk"
include: "rules/clean_up.smk"
include: "rules/check_template.smk"
include: "rules/records.smk"


rule all:
    default_target: True
    input:
        missing=every_missing_file(),
        index=["<results>/index.html", "<results>/.reelmake/index-complete"],
