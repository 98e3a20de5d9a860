#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# docker: the runtime below a dockerd of the test's own (Debian's docker.io), with its own
# socket, data, exec root and pid file, no bridge and no firewall rules: a dockerd that
# may run on the machine is not touched.

load helpers

setup_file()
{
	D=$(mktemp -d /tmp/kata-docker.XXXXXX)
	export D DOCKER_HOST=unix://$D/docker.sock
	local runtime=${KATA_RUNTIME:-/usr/local/bin/kata-runtime}
	echo "{}" >"$D/daemon.json"
	dockerd --host "$DOCKER_HOST" --data-root "$D/data" --exec-root "$D/exec" \
		--pidfile "$D/docker.pid" --config-file "$D/daemon.json" --bridge none \
		--iptables=false --ip6tables=false --add-runtime "kata=$runtime" \
		</dev/null >"$D/log" 2>&1 3>&- &
	eventually 60 docker_answers || {
		tail -n 30 "$D/log" >&2
		return 1
	}
	tar -c -C "$(rootfs_busybox)" . | timeout 120 docker import - e2e-busybox >/dev/null
	timeout 300 docker import "$(rootfs_debian_tar)" e2e-debian >/dev/null
}

docker_answers()
{
	timeout 10 docker version >/dev/null 2>&1
}

teardown_file()
{
	local pid
	[ -n "${D:-}" ] || return 0
	pid=$(cat "$D/docker.pid" 2>/dev/null) || pid=
	if [ -n "$pid" ]; then
		kill "$pid"
		eventually 30 gone "$pid" || kill -9 "$pid"
	fi
	awk -v d="$D/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		xargs -r umount -l
	rm -rf "$D"
}

setup()
{
	e2e_setup
	# what belongs to the daemon's directory is watched as well
	docker_root=$D/exec/runtime-runc/moby
}

teardown()
{
	local left
	# shellcheck disable=SC2046 # ids
	timeout 120 docker rm -f $(docker ps -aq) >/dev/null 2>&1 || true
	left=$(find "$docker_root" -mindepth 1 ! -name @host-facts 2>/dev/null
		timeout 20 python3 "$e2e_dir/processes.py" "$D/exec/runtime-runc"
		timeout 20 python3 "$e2e_dir/processes.py" "$D/exec/containerd/daemon/io.containerd.runtime.v2.task")
	e2e_teardown
	[ -z "$left" ] || fail "left behind:"$'\n'"$left"
}

# drun OPTION... IMAGE COMMAND...
drun()
{
	timeout -k 5 "$E2E_TIMEOUT" docker run --rm --runtime=kata --network none "$@" 3>&-
}

@test "docker run: output" {
	equal "$(drun e2e-busybox echo hello)" hello
}

@test "docker run: it is a virtual machine" {
	[ "$(drun e2e-busybox cat /proc/sys/kernel/random/boot_id)" != \
		"$(cat /proc/sys/kernel/random/boot_id)" ]
}

@test "docker run: exit statuses" {
	run -0 drun e2e-busybox true
	run -7 drun e2e-busybox sh -c 'exit 7'
	run -127 drun e2e-busybox no-such-program
	has "$output" 'executable file not found in $PATH'
	run -126 drun e2e-busybox /etc/passwd
	has "$output" "permission denied"
	run -139 drun e2e-busybox sh -c 'sh -c "kill -SEGV \$\$"; exit $?'
}

@test "docker run: stdout, stderr and stdin" {
	drun e2e-busybox sh -c 'echo out; echo err >&2' >"$T/out" 2>"$T/err"
	equal "$(cat "$T/out")" out
	equal "$(cat "$T/err")" err
	equal "$(seq 100000 | drun -i e2e-busybox sha256sum)" "$(seq 100000 | sha256sum)"
	equal "$(drun e2e-busybox seq 100000 | sha256sum)" "$(seq 100000 | sha256sum)"
}

@test "docker run -t" {
	run -0 timeout 90 python3 "$e2e_dir/on_terminal.py" 21 77 "hello" docker run --rm -it \
		--runtime=kata --network none e2e-busybox sh -c 'stty size; read l; echo "got $l"'
	has "$output" "got hello"
}

@test "docker run: user, working directory, environment, host name" {
	run -0 drun -u 1000:1000 -w /tmp -e A=b --hostname box e2e-busybox \
		sh -c 'id -u; id -g; pwd; echo $A; hostname'
	equal "$output" $'1000\n1000\n/tmp\nb\nbox'
}

@test "docker run: volumes" {
	mkdir "$T/v"
	echo from the host >"$T/v/in"
	run -0 drun -v "$T/v:/v" e2e-busybox sh -c 'cat /v/in; echo from the guest >/v/out'
	equal "$output" "from the host"
	equal "$(cat "$T/v/out")" "from the guest"
	run drun -v "$T/v:/v:ro" e2e-busybox touch /v/new
	has "$output" "Read-only file system"
	[ ! -e "$T/v/new" ]
}

@test "docker run -d, logs, kill" {
	local id
	id=$(drun -d --name "$c" e2e-busybox sh -c 'echo up; sleep 1000')
	eventually 30 grep -q up <(timeout 10 docker logs -f "$id" 2>&1)
	has "$(ps -o args= -p "$(timeout 10 docker inspect -f '{{.State.Pid}}' "$id")")" "sleep 1000"
	timeout 30 docker kill "$id" >/dev/null
	eventually 30 not_listed "$c"
}

not_listed()
{
	[ -z "$(timeout 10 docker ps -aq --filter "name=$1")" ]
}

@test "docker stop: the program gets TERM, its status is kept" {
	local id
	id=$(timeout 90 docker run -d --runtime=kata --network none e2e-busybox \
		sh -c 'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.1; done' 3>&-)
	eventually 30 logged "$id" up
	timeout 60 docker stop -t 20 "$id"
	equal "$(timeout 10 docker inspect -f '{{.State.ExitCode}}' "$id")" 5
	logged "$id" bye
	timeout 60 docker rm "$id"
}

logged()
{
	timeout 10 docker logs "$1" 2>&1 | grep -q "$2"
}

@test "docker start again" {
	timeout 90 docker create --name "$c" --runtime=kata --network none e2e-busybox \
		sh -c 'echo x >>/count; wc -l </count' 3>&-
	equal "$(timeout 90 docker start -a "$c" 3>&-)" 1
	equal "$(timeout 90 docker start -a "$c" 3>&-)" 2
	timeout 60 docker rm "$c"
}

@test "docker cp of a running container" {
	local id
	id=$(drun -d e2e-busybox sh -c 'echo inside >/file; sleep 1000')
	eventually 30 timeout 10 docker cp "$id:/file" "$T/file"
	equal "$(cat "$T/file")" inside
}

@test "docker run --read-only, --tmpfs, --ulimit, --cap-drop" {
	run -0 drun --read-only --tmpfs /scratch --ulimit nofile=500:600 --cap-drop ALL e2e-busybox \
		sh -c 'touch /x 2>/dev/null || echo ro; touch /scratch/x && ulimit -n
			grep CapEff /proc/self/status'
	equal "${lines[0]}" ro
	equal "${lines[1]}" 500
	has "${lines[2]}" 0000000000000000
}

@test "a distribution: python, perl, apt-get" {
	equal "$(drun e2e-debian python3 -c 'print(sum(range(101)))')" 5050
	equal "$(drun e2e-debian perl -e 'print join(",", map { $_ ** 2 } 1 .. 5)')" 1,4,9,16,25
	has "$(drun e2e-debian apt-get --version)" "apt "
	run -3 drun e2e-debian python3 -c 'import sys; sys.exit(3)'
}

@test "four at once" {
	local i pids=()
	for i in 1 2 3 4; do
		drun e2e-busybox sh -c "echo number $i; exit $i" >"$T/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in 1 2 3 4; do
		local status=0
		wait "${pids[$((i - 1))]}" || status=$?
		equal $status $i
		equal "$(cat "$T/out.$i")" "number $i"
	done
}
