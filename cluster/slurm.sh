#!/usr/bin/env bash
#SBATCH --job-name=rsflow
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=24:00:00
# Ray on the nodes of one Slurm allocation, and a build on it:  sbatch --nodes=4 cluster/slurm.sh CONFIG [key=value ...]
# Submit it from the checkout, where `make` has installed .venv on a disk that all nodes see.
set -euo pipefail

export PATH="$PWD/.venv/bin:$PATH"
# A secret for this job only: whoever else is on the network cannot run code on the cluster.
RAY_AUTH_TOKEN="$(python -c 'import secrets; print(secrets.token_hex(32))')"
export RAY_AUTH_TOKEN RAY_AUTH_MODE=token

cpus="${SLURM_CPUS_ON_NODE:-$(nproc)}"
port=$((20000 + SLURM_JOB_ID % 10000))
nodes=($(scontrol show hostnames "$SLURM_JOB_NODELIST"))
head="$(srun --nodes=1 --ntasks=1 --nodelist="${nodes[0]}" hostname --ip-address | awk '{print $1}')"

srun --nodes=1 --ntasks=1 --overlap --nodelist="${nodes[0]}" \
    ray start --head --block --node-ip-address="$head" --port="$port" --num-cpus="$cpus" --include-dashboard=false &
steps=($!)
trap 'kill "${steps[@]}" 2>/dev/null || true; wait' EXIT

until python -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)' "$head" "$port" 2>/dev/null; do
    kill -0 "${steps[0]}" || { echo "the head node did not start" >&2; exit 1; }
    sleep 1
done
for node in "${nodes[@]:1}"; do
    srun --nodes=1 --ntasks=1 --overlap --nodelist="$node" ray start --block --address="$head:$port" --num-cpus="$cpus" &
    steps+=($!)
done

# Work starts on the nodes that are there; others join as they come up.
RAY_ADDRESS="$head:$port" srun --nodes=1 --ntasks=1 --overlap --nodelist="${nodes[0]}" python pipelines/build.py "$@"
