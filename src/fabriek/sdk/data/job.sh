#!/bin/bash
#SBATCH --job-name=@PACK@
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=@CPUS@
#SBATCH --mem=@MEMORY@M
#SBATCH --time=@TIME@
@GPUS@
# Runs a packed job: `sbatch job.sh` or `bash job.sh`, here or with FABRIEK_PACK_DIR=/path/of/this/folder. README.md says the rest.
# It needs bash and GNU coreutils; everything that somebody chose stands quoted in the lines between here and the first function.
umask 077
pack=@PACK@
command=(@COMMAND@)
inputs=(@INPUTS@)
mounts=(@MOUNTS@)
nvidia=(@NVIDIA@)
@ENVIRONMENT@

fail() {
  echo "fabriek: $1" >&2
  exit "$2"
}

for place in "$FABRIEK_PACK_DIR" "$(dirname "${BASH_SOURCE[0]}")" "$SLURM_SUBMIT_DIR" "$PWD"; do
  # Slurm runs a copy of this script, so that its own folder may be another.
  if [ -n "$place" ] && [ -f "$place/CHECKSUMS" ] && grep -qs "\"id\": \"$pack\"" "$place/pack.json"; then
    here=$(cd "$place" && pwd -P)
    break
  fi
done
[ -n "$here" ] || fail "the folder of $pack is not here: set FABRIEK_PACK_DIR to it" 66
(cd "$here" && sha256sum --check --quiet --strict CHECKSUMS >&2) || fail "the pack is not what was packed" 65

paths=()
for n in "${!inputs[@]}"; do
  variable="FABRIEK_INPUT_$((n + 1))"
  paths[n]=${!variable:-$here/inputs/${inputs[n]}}
  [ -d "${paths[n]}" ] || fail "the data of ${inputs[n]} is not here: put it into $here/inputs/${inputs[n]}, or set $variable" 66
  export "$variable=${paths[n]}"
done

results="$here/results"
mkdir "$results" 2>/dev/null || fail "$results is there already: take it back or move it away" 73
mkdir "$results/output" || fail "$results cannot be written" 73
work=$(mktemp -d "${TMPDIR:-/tmp}/$pack.XXXXXXXX") || fail "there is no room for a working folder" 73
trap 'rm -rf "$work"' EXIT
[ ! -d "$here/code" ] || cp -R "$here/code/." "$work/" || fail "the code cannot be copied" 73
export FABRIEK_OUTPUT="$results/output"

runtime=$FABRIEK_RUNTIME
if [ -z "$runtime" ]; then
  if [ -f "$here/image.sif" ] && command -v apptainer >/dev/null; then
    runtime=apptainer
  elif command -v bwrap >/dev/null && bwrap --dev-bind / / true 2>/dev/null; then
    runtime=bwrap
  else
    runtime=plain
  fi
fi

prepare_python() {
  if [ -n "$FABRIEK_PYTHON" ]; then
    PATH="$(dirname "$FABRIEK_PYTHON"):$PATH"
  elif [ -f "$here/requirements.txt" ]; then
    python3 -m venv "$work/.venv" && "$work/.venv/bin/python" -m pip install -q -r "$here/requirements.txt" || return 69
    PATH="$work/.venv/bin:$PATH"
  elif ! command -v python >/dev/null && command -v python3 >/dev/null; then
    mkdir "$work/.bin" && ln -s "$(command -v python3)" "$work/.bin/python"
    PATH="$work/.bin:$PATH"
  fi
  export PATH
}

run_apptainer() {
  binds=(--bind "$work:/home/job" --bind "$results/output:/output")
  for n in "${!paths[@]}"; do
    binds+=(--bind "${paths[n]}:${mounts[n]}:ro")
  done
  export APPTAINERENV_FABRIEK_OUTPUT=/output
  exec apptainer exec --containall "${nvidia[@]}" --pwd /home/job "${binds[@]}" "$here/image.sif" "${command[@]}"
}

run_bwrap() {
  # A root of its own, with all that this machine has but what the job's own folders hide.
  ours=" /output /proc /dev "
  for mount in "${mounts[@]}"; do
    first=${mount#/}
    ours+="/${first%%/*} "
  done
  walls=(--die-with-parent)
  for top in /*; do
    if [[ $ours == *" $top "* ]]; then
      continue
    elif [ -L "$top" ]; then
      walls+=(--symlink "$(readlink "$top")" "$top")
    elif [ -d "$top" ]; then
      walls+=(--bind "$top" "$top")
    fi
  done
  walls+=(--proc /proc --dev-bind /dev /dev --bind "$work" "$work" --bind "$results/output" /output)
  for n in "${!paths[@]}"; do
    walls+=(--ro-bind "${paths[n]}" "${mounts[n]}")
  done
  prepare_python || exit 69
  export FABRIEK_OUTPUT=/output HOME="$work"
  exec bwrap "${walls[@]}" --chdir "$work" -- "${command[@]}"
}

run_plain() {
  echo "fabriek: no image and no bwrap: /output is at \$FABRIEK_OUTPUT here, and each input at \$FABRIEK_INPUT_1 and on" >&2
  prepare_python || exit 69
  cd "$work" || exit 73
  exec "${command[@]}"
}

case $runtime in
apptainer | bwrap | plain) ;;
*) fail "FABRIEK_RUNTIME is apptainer, bwrap or plain" 64 ;;
esac

began=$(date +%s)
"run_$runtime" </dev/null >"$results/log.txt" 2>&1 &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM INT
wait "$child"
code=$?
while kill -0 "$child" 2>/dev/null; do
  wait "$child"
  code=$?
done
ended=$(date +%s)

word() {
  printf %s "$1" | tr -cd 'A-Za-z0-9._-'
}
printf '%s\n' "$code" >"$results/exit_code"
printf '{"pack": "%s", "host": "%s", "cluster": "%s", "job": "%s", "began": %s, "ended": %s, "runtime": "%s"}\n' \
  "$pack" "$(word "$(uname -n)")" "$(word "$SLURM_CLUSTER_NAME")" "$(word "$SLURM_JOB_ID")" "$began" "$ended" "$runtime" \
  >"$results/ran.json"
(cd "$results" && find . -type f ! -path ./CHECKSUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -- >CHECKSUMS)
exit "$code"
