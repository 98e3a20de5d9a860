#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# docker: the runtime below a dockerd of the test's own: Debian's, and as docker-sid.bats, a
# link to this file, the current one. What docker's users do, without a network.
#
# Every VM that is booted costs seconds under TCG, so a test asks all it can of one container.

load helpers
load engines

setup_file()
{
	docker_setup
	timeout 300 docker import "$(rootfs_debian_tar)" e2e-debian >/dev/null
}

teardown_file()
{
	docker_teardown
}

setup()
{
	e2e_setup
}

teardown()
{
	docker_clean
}

# --- run ----------------------------------------------------------------------------------------

@test "docker info knows the runtime" {
	has "$(d info -f '{{json .Runtimes}}')" "$KATA_ENGINE_RUNTIME"
}

@test "docker run: output, and it is a virtual machine" {
	run -0 drun e2e-busybox sh -c 'echo hello; cat /proc/sys/kernel/random/boot_id'
	equal "${lines[0]}" hello
	[ "${lines[1]}" != "$(cat /proc/sys/kernel/random/boot_id)" ]
}

@test "docker run: exit statuses 0, 1, 42, 139" {
	run -0 drun e2e-busybox true
	run -1 drun e2e-busybox false
	run -42 drun e2e-busybox sh -c 'exit 42'
	run -139 drun e2e-busybox sh -c 'sh -c "kill -SEGV \$\$"; exit $?'
}

@test "docker run: exit statuses 125, 126, 127" {
	run -125 drun --no-such-option e2e-busybox true
	run -125 drun --memory 1 e2e-busybox true
	run -126 drun e2e-busybox /etc/passwd
	has "$output" "permission denied"
	run drun e2e-busybox /etc
	has "$output" "/etc"
	equal "$status" 126
	run -127 drun e2e-busybox no-such-program
	has "$output" 'executable file not found in $PATH'
	run -127 drun e2e-busybox /no/such/program
	has "$output" "no such file or directory"
}

@test "docker run: exit statuses 137, 143" {
	local pid status=0
	drun --name "$c" --init e2e-busybox sleep 1000 &
	pid=$!
	eventually 60 is "$c" State.Running true
	d kill "$c"
	wait $pid || status=$?
	equal $status 137
	status=0
	eventually 30 not_listed "$c"
	# an init that has not come to its handlers yet ignores TERM, as any first process does
	drun --name "$c" --init e2e-busybox sh -c 'echo up; exec sleep 1000' >/dev/null &
	pid=$!
	eventually 60 logged "$c" up
	d kill -s TERM "$c"
	wait $pid || status=$?
	equal $status 143
}

not_listed()
{
	[ -z "$(timeout 10 docker ps -aq --filter "name=$1")" ]
}

@test "docker run: stdout, stderr and stdin" {
	drun e2e-busybox sh -c 'echo out; echo err >&2' >"$T/out" 2>"$T/err"
	equal "$(cat "$T/out")" out
	equal "$(cat "$T/err")" err
	equal "$(drun e2e-busybox cat </dev/null)" ""
}

@test "docker run -i: 100 MB in, 100 MB out" {
	head -c 104857600 /dev/urandom >"$T/big"
	equal "$(drun -i e2e-busybox sha256sum <"$T/big")" "$(sha256sum <"$T/big")"
	equal "$(drun -i e2e-busybox cat <"$T/big" | sha256sum)" "$(sha256sum <"$T/big")"
}

@test "docker logs: 100 MB, whatever the exit status" {
	local status sum
	mkdir "$T/v"
	head -c 78643200 /dev/urandom | base64 -w 8000 >"$T/v/big"
	sum=$(sha256sum <"$T/v/big")
	[ "$(stat -c %s "$T/v/big")" -gt 104857600 ]
	for status in 0 3; do
		dup --name "$c-$status" -v "$T/v:/v:ro" e2e-busybox sh -c "cat /v/big; exit $status"
	done
	for status in 0 3; do
		equal "$(d wait "$c-$status")" $status
		equal "$(d logs "$c-$status" | sha256sum)" "$sum"
	done
	# of one that is killed, what it had written before
	dup --name "$c" -v "$T/v:/v:ro" e2e-busybox sh -c 'head -c 8001 /v/big; echo last; sleep 1000'
	eventually 60 tail_is "$c" last
	d kill "$c"
	equal "$(d logs "$c" | sha256sum)" "$({ head -c 8001 "$T/v/big"; echo last; } | sha256sum)"
}

tail_is()
{
	[ "$(timeout 20 docker logs --tail 1 "$1" 2>&1)" = "$2" ]
}

@test "docker run -t: output only" {
	equal "$(drun -t e2e-busybox sh -c 'tty; echo x')" $'/dev/pts/0\r\nx\r'
}

@test "docker run -it: size, typing, resizing, interrupt" {
	run -5 dialogue 21 77 wait:'21 77' type:hello wait:'got hello' 'size:30 100' wait:'30 100' \
		wait:ready 'keys:\x03' -- \
		docker run --rm -it --runtime="$KATA_ENGINE_RUNTIME" --network none e2e-busybox sh -c '
			trap "exit 5" INT
			until [ "$(stty size)" = "21 77" ]; do sleep 0.1; done
			stty size; read l; echo "got $l"
			until [ "$(stty size)" = "30 100" ]; do sleep 0.1; done
			stty size; echo ready; while :; do sleep 0.1; done'
	has "$output" "settings restored"
}

@test "docker run: who, where, what" {
	printf 'A=from file\nB=b\n' >"$T/env"
	run -0 drun -u 1000:1000 --group-add 2000 -w /tmp/new/dir --env-file "$T/env" -e B=c \
		--hostname box --entrypoint /bin/sh e2e-busybox \
		-c 'id -u; id -g; id -G; pwd; echo $A; echo $B; hostname; cat /etc/hostname; echo $HOME'
	equal "$output" $'1000\n1000\n1000 2000\n/tmp/new/dir\nfrom file\nc\nbox\nbox\n/home/user'
	run -0 drun -u user e2e-busybox id -un
	equal "$output" user
}

@test "docker run --read-only, --tmpfs, --shm-size, --ulimit" {
	run -0 drun --read-only --tmpfs /scratch:size=1m --shm-size 8m \
		--ulimit nofile=500:600 e2e-busybox sh -c 'touch /x 2>/dev/null || echo ro
			touch /scratch/x && df -k /scratch | awk "END { print \$2 }"
			df -k /dev/shm | awk "END { print \$2 }"
			ulimit -n; ulimit -Hn'
	equal "$output" $'ro\n1024\n8192\n500\n600'
}

@test "docker run --cap-add, --cap-drop, no-new-privileges" {
	run -0 drun --cap-drop ALL e2e-busybox grep CapEff /proc/self/status
	has "$output" 0000000000000000
	run -0 drun --cap-drop ALL --cap-add NET_ADMIN --cap-add SYS_TIME e2e-busybox \
		grep CapEff /proc/self/status
	has "$output" 0000000002001000
	run -0 drun --security-opt no-new-privileges e2e-busybox grep NoNewPrivs /proc/self/status
	has "$output" 1
}

@test "docker run: the default seccomp profile, one of the user's, none; exec too" {
	# a user namespace needs no capability: that it is refused is the profile's doing
	box
	run inside sh -c 'grep -E "^Seccomp:" /proc/self/status; unshare -U true; echo $?; mkdir /d && echo made'
	has "$output" $'Seccomp:\t2'
	has "$output" "Operation not permitted"
	has "$output" $'\n1\nmade'
	printf '%s' '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"],
		"action": "SCMP_ACT_ERRNO", "errnoRet": 100}]}' >"$T/profile.json"
	run drun --security-opt "seccomp=$T/profile.json" e2e-busybox sh -c 'mkdir /d; unshare -U true && echo may'
	has "$output" "Network is down"
	has "$output" may
	run -0 drun --security-opt seccomp=unconfined e2e-busybox sh -c '
		grep -E "^Seccomp:" /proc/self/status; unshare -U true && echo may; unshare -m true || echo "no SYS_ADMIN"'
	has "$output" $'Seccomp:\t0'
	has "$output" $'may'
	has "$output" "no SYS_ADMIN"
	# what the profile has for a capability comes with it
	run -0 drun --cap-add SYS_ADMIN e2e-busybox unshare -m sh -c 'grep -E "^Seccomp:" /proc/self/status'
	equal "$output" $'Seccomp:\t2'
}

@test "docker run --privileged: the guest's devices, not the host's; --device: refused by name" {
	[ -b /dev/loop0 ] || mknod /dev/loop0 b 7 0
	run -0 drun --privileged e2e-busybox sh -c 'head -c 1 /dev/kmsg | wc -c
		ls -d /dev/loop0 /dev/null; mount -t tmpfs none /tmp && grep -c " /tmp tmpfs" /proc/mounts
		mknod /tmp/k c 1 11 && head -c 1 /tmp/k | wc -c'
	equal "$(grep -v /dev/loop0 <<<"$output")" $'1\n/dev/null\n1\n1'
	run -125 drun --device /dev/loop-control e2e-busybox true
	has "$output" "/dev/loop-control (c 10:237) is a device of the host"
}

@test "docker run --device of a disk, --device-cgroup-rule" {
	local disk
	truncate -s 1M "$T/disk"
	printf hello | dd of="$T/disk" conv=notrunc status=none
	disk=$(losetup --show -f "$T/disk")
	run drun --device "$disk:/dev/xvda:r" --device-cgroup-rule 'c 10:183 r' e2e-busybox sh -c '
		exec 2>/dev/null; head -c 5 /dev/xvda; echo; (: >>/dev/xvda) || echo "disk read-only"
		mknod /tmp/k c 10 183; (: </tmp/k) && echo "rule read"; (: >/tmp/k) || echo "rule only"'
	losetup -d "$disk"
	[ "$status" = 0 ]
	equal "$output" $'hello\ndisk read-only\nrule read\nrule only'
}

@test "docker run --init" {
	# an orphan is reaped, and TERM ends what has no handler for it
	dup --name "$c" --init e2e-busybox sh -c '(sleep 0.1 &); sleep 1000'
	has "$(inside cat /proc/1/cmdline | tr '\0' ' ')" docker-init
	eventually 20 no_zombie
	d stop -t 60 "$c"
	equal "$(of "$c" State.ExitCode)" 143
}

no_zombie()
{
	[ "$(inside sh -c 'cat /proc/[0-9]*/status 2>/dev/null | grep -cE "^State:.Z|^Name:.sleep"')" = 1 ]
}

@test "docker run -v: directories and files, read-write and read-only" {
	mkdir "$T/v"
	echo from the host >"$T/v/in"
	echo a file >"$T/file"
	echo fixed >"$T/fixed"
	run -0 drun -v "$T/v:/v" -v "$T/v:/ro:ro" -v "$T/file:/etc/file" -v "$T/fixed:/etc/fixed:ro" \
		e2e-busybox sh -c 'cat /v/in; echo from the guest >/v/out; cat /ro/out
			touch /ro/new 2>&1; cat /etc/file; echo changed >/etc/file
			cat /etc/fixed; (echo x >/etc/fixed) 2>&1; mkdir -p /v/d/e; ln -s in /v/link'
	has "$output" $'from the host\nfrom the guest'
	has "$output" "/ro/new: Read-only file system"
	has "$output" "can't create /etc/fixed: Read-only file system"
	equal "$(cat "$T/v/out" "$T/file" "$T/fixed" "$T/v/link")" \
		$'from the guest\nchanged\nfixed\nfrom the host'
	[ ! -e "$T/v/new" ] && [ -d "$T/v/d/e" ]
}

@test "docker run -v: named volumes" {
	drun -v "$c:/v" e2e-busybox sh -c 'echo kept >/v/x'
	run -1 drun -v "$c:/v:ro" e2e-busybox sh -c 'cat /v/x; touch /v/y'
	has "$output" kept
	has "$output" "Read-only file system"
	# what the image has there is copied into a new volume
	run -0 drun -v "$c-2:/etc" e2e-busybox grep -c root:x /etc/passwd
	equal "$output" 1
	d volume rm "$c" "$c-2"
}

@test "a distribution: python, perl, apt-get" {
	run -3 drun e2e-debian sh -c 'python3 -c "print(sum(range(101)))"
		perl -e "print join(q(,), map { \$_ ** 2 } 1 .. 5), qq(\n)"
		apt-get --version | head -n 1; exec python3 -c "import sys; sys.exit(3)"'
	equal "${lines[0]}" 5050
	equal "${lines[1]}" 1,4,9,16,25
	has "${lines[2]}" "apt "
}

@test "docker create, start, rm without start, mount that is not there" {
	d create --name "$c" --runtime="$KATA_ENGINE_RUNTIME" --network none e2e-busybox \
		sh -c 'echo x >>/count; wc -l </count'
	equal "$(d start -a "$c")" 1
	equal "$(d start -a "$c")" 2
	d rm "$c"
	d create --name "$c" --runtime="$KATA_ENGINE_RUNTIME" --network none e2e-busybox true
	d rm "$c"
	run ! drun --mount "type=bind,src=$T/none,dst=/x" e2e-busybox true
	run ! drun -v "$T:/etc/passwd" e2e-busybox true
	has "$output" "not a directory"
}

# --- exec ---------------------------------------------------------------------------------------

@test "docker exec: output, statuses, stdin, options" {
	box -e FROM=run
	run -0 inside sh -c 'echo out; echo err >&2; echo $FROM; hostname'
	has "$output" $'out\n'
	has "$output" err
	has "$output" run
	run -1 inside false
	run -42 inside sh -c 'exit 42'
	# docker 20.10 has 126 for both
	status=0
	output=$(inside no-such-program 2>&1) || status=$?
	[[ $status = 12[67] ]]
	has "$output" 'executable file not found in $PATH'
	run -126 inside /etc/passwd
	has "$output" "permission denied"
	run -137 inside sh -c 'kill -9 $$'
	run -143 inside sh -c 'kill -TERM $$'
	run -0 d exec -u 1000:1000 -w /tmp -e A=b "$c" sh -c 'id -u; id -g; pwd; echo $A'
	equal "$output" $'1000\n1000\n/tmp\nb'
	equal "$(seq 1000000 | d exec -i "$c" sha256sum)" "$(seq 1000000 | sha256sum)"
	equal "$(inside seq 1000000 | sha256sum)" "$(seq 1000000 | sha256sum)"
	d exec -d "$c" sh -c 'echo done >/detached'
	eventually 30 inside grep -q done /detached
	# one that still runs goes with the container
	d exec -d "$c" sleep 2000
	eventually 30 sees_process "sleep 2000"
}

sees_process()
{
	inside ps | grep -q "$1"
}

@test "docker exec -it: size, typing, resizing" {
	box
	run -7 dialogue 21 77 wait:'21 77' type:hello wait:'got hello' 'size:30 100' wait:'30 100' -- \
		docker exec -it "$c" sh -c 'until [ "$(stty size)" = "21 77" ]; do sleep 0.1; done
			stty size; read l; echo "got $l"
			until [ "$(stty size)" = "30 100" ]; do sleep 0.1; done; stty size; exit 7'
	has "$output" "settings restored"
	has "$(d exec -t "$c" tty)" /dev/pts/
}

@test "docker exec: 20 at once" {
	local i pids=() status
	box
	for i in {1..20}; do
		inside sh -c "echo number $i; exit $i" >"$T/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in {1..20}; do
		status=0
		wait "${pids[i - 1]}" || status=$?
		equal "$status $(cat "$T/out.$i")" "$i number $i"
	done
	equal "$(inside ps | grep -c 'number')" 0
}

# --- signals, stop, pause ------------------------------------------------------------------------

@test "docker stop: the program gets TERM, its status is kept; kill -s" {
	dup --name "$c" e2e-busybox sh -c 'trap "echo bye; exit 5" TERM; trap "echo usr1" USR1
		echo up; while :; do sleep 0.1; done'
	eventually 60 logged "$c" up
	has "$(ps -o args= -p "$(of "$c" State.Pid)")" "echo up"
	d kill -s USR1 "$c"
	eventually 20 logged "$c" usr1
	d stop -t 20 "$c"
	equal "$(of "$c" State.ExitCode)" 5
	logged "$c" bye
}

@test "docker stop: KILL when the time is over" {
	box
	d stop -t 1 "$c"
	equal "$(of "$c" State.ExitCode)" 137
	equal "$(of "$c" State.OOMKilled)" false
	equal "$(of "$c" State.Status)" exited
}

@test "docker pause, unpause, rm -f of a paused one" {
	local before
	dup --name "$c" e2e-busybox sh -c 'while :; do echo tick; sleep 0.1; done'
	eventually 60 logged "$c" tick
	d pause "$c"
	equal "$(of "$c" State.Status)" paused
	before=$(d logs "$c" | wc -l)
	run ! inside true
	has "$output" "paused"
	run sleep 1.5
	equal "$(d logs "$c" | wc -l)" "$before"
	d unpause "$c"
	equal "$(of "$c" State.Status)" running
	eventually 30 more_logged "$before"
	inside true
	d pause "$c"
	d rm -f "$c"
}

more_logged()
{
	[ "$(timeout 10 docker logs "$c" | wc -l)" -gt "$1" ]
}

@test "docker kill of a paused one" {
	box
	d pause "$c"
	d kill "$c" || { d unpause "$c"; d kill "$c"; }
	equal "$(d wait "$c")" 137
}

# --- looking -------------------------------------------------------------------------------------

@test "docker top, stats, inspect" {
	box
	d exec -d "$c" sleep 2000
	eventually 30 tops "sleep 2000"
	tops "sleep 1000"
	equal "$(d top "$c" | wc -l)" 3
	run -0 d stats --no-stream --format '{{.MemUsage}}|{{.CPUPerc}}|{{.PIDs}}' "$c"
	has_not "$output" "0B /"
	has_not "$output" "--"
	[ "${output##*|}" -gt 0 ]
}

tops()
{
	d top "$c" | grep -q "$1"
}

@test "docker cp: in and out, running and stopped" {
	box
	mkdir -p "$T/d/e"
	echo inner >"$T/d/e/file"
	echo from the host >"$T/in"
	chmod 751 "$T/in"
	inside sh -c 'mkdir /out; echo inside >/out/file; ln -s file /out/link'
	d cp "$T/in" "$c:/in"
	d cp "$T/d" "$c:/d"
	d cp "$c:/out" "$T/out"
	equal "$(cat "$T/out/file" "$T/out/link")" $'inside\ninside'
	equal "$(inside sh -c 'cat /in /d/e/file; stat -c %a /in')" $'from the host\ninner\n751'
	d kill "$c"
	d cp "$c:/in" "$T/again"
	equal "$(cat "$T/again")" "from the host"
	echo second >"$T/in"
	d cp "$T/in" "$c:/in"
	d start "$c"
	equal "$(inside cat /in)" second
}

@test "docker wait, restart, diff, rename" {
	dup --name "$c" e2e-busybox sh -c 'echo up >>/ups; trap "exit 9" TERM; echo up
		while :; do sleep 0.1; done'
	eventually 60 logged "$c" up
	d wait "$c" >"$T/status" &
	d restart -t 20 "$c"
	equal "$(of "$c" State.Running)" true
	d exec "$c" sh -c 'until [ "$(wc -l </ups)" = 2 ]; do sleep 0.1; done'
	d rename "$c" "$c-2"
	d stop -t 20 "$c-2"
	eventually 20 test -s "$T/status"
	equal "$(cat "$T/status")" 9
	has "$(d diff "$c-2")" "A /ups"
}

@test "docker attach, detach keys" {
	dup -it --name "$c" e2e-busybox sh -c 'while read l; do echo "got $l"; [ "$l" != end ] || exit 6; done'
	# docker calls that 1, "read escape sequence", or 0
	run dialogue 24 80 type:one wait:'got one' 'keys:\x10\x11' -- docker attach "$c"
	has "$output" "settings restored"
	equal "$(of "$c" State.Running)" true
	run -6 dialogue 24 80 type:end wait:'got end' -- docker attach "$c"
	# without a terminal: signals are passed on
	dup --name "$c-2" e2e-busybox sh -c 'trap "exit 8" TERM; while :; do echo tick; sleep 0.1; done'
	timeout -s TERM 5 docker attach --no-stdin "$c-2" >"$T/out" 3>&- || true
	has "$(cat "$T/out")" tick
	equal "$(d wait "$c-2")" 8
}

@test "docker run --restart on-failure" {
	dup --name "$c" --restart on-failure:2 e2e-busybox sh -c 'echo x >>/count
		[ "$(wc -l </count)" -lt 3 ] && exit 3; exit 4'
	eventually 90 is "$c" State.Status exited
	eventually 30 is "$c" RestartCount 2
	eventually 30 is "$c" State.ExitCode 4
}

@test "docker run --health-cmd" {
	box --health-cmd 'test ! -e /sick' --health-interval 1s --health-timeout 10s --health-retries 1
	eventually 60 is "$c" State.Health.Status healthy
	inside touch /sick
	eventually 60 is "$c" State.Health.Status unhealthy
}

# --- resources -----------------------------------------------------------------------------------

# controller FILE-V2 FILE-V1: what the container sees of its limits
controller()
{
	inside sh -c "cat /sys/fs/cgroup/$1 2>/dev/null || cat /sys/fs/cgroup/$2"
}

@test "docker run --memory, --cpus, --pids-limit; update" {
	box --memory 96m --memory-swap 96m --cpus 0.5 --pids-limit 30
	equal "$(controller memory.max memory/memory.limit_in_bytes)" 100663296
	has "$(controller cpu.max cpu/cpu.cfs_quota_us)" 50000
	equal "$(controller pids.max pids/pids.max)" 30
	d update --memory 64m --memory-swap 64m --cpus 0.25 --pids-limit 40 "$c"
	equal "$(controller memory.max memory/memory.limit_in_bytes)" 67108864
	has "$(controller cpu.max cpu/cpu.cfs_quota_us)" 25000
	equal "$(controller pids.max pids/pids.max)" 40
	# the number of forks is bounded, and the container is usable afterwards
	run inside sh -c 'i=0; while [ $i -lt 100 ]; do sleep 60 >/dev/null 2>&1 & i=$((i + 1)); done'
	[ "$status" != 0 ]
	has "$output" "fork"
	inside sh -c 'kill -9 -1'
	equal "$(inside echo usable)" usable
}

@test "docker update: more memory than its VM has is refused, by name" {
	box --memory 64m --memory-swap 64m
	run -1 d update --memory 1g --memory-swap 1g "$c"
	has "$output" "[guest] memory_room"
	equal "$(controller memory.max memory/memory.limit_in_bytes)" 67108864
	run -137 inside dd if=/dev/zero of=/dev/null bs=90M count=1
}

@test "docker run --memory: too much is 137 and OOMKilled" {
	local status=0
	d run --name "$c" --runtime="$KATA_ENGINE_RUNTIME" --network none --memory 48m --memory-swap 48m \
		e2e-busybox sh -c 'exec tail /dev/zero' || status=$?
	equal $status 137
	equal "$(of "$c" State.ExitCode)" 137
	eventually 10 is "$c" State.OOMKilled true
}

@test "docker run --memory larger than the VM's default" {
	run -0 drun --memory 500m --memory-swap 500m --shm-size 400m e2e-busybox sh -c \
		'dd if=/dev/zero of=/dev/shm/x bs=1M count=350 2>/dev/null; stat -c %s /dev/shm/x'
	equal "$output" 367001600
}

@test "docker run --cpus 2: two processors" {
	run -0 drun --cpus 2 e2e-busybox nproc
	equal "$output" 2
}

# --- several --------------------------------------------------------------------------------------

@test "four at once" {
	local i pids=() status
	for i in 1 2 3 4; do
		drun e2e-busybox sh -c "echo number $i; exit $i" >"$T/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in 1 2 3 4; do
		status=0
		wait "${pids[i - 1]}" || status=$?
		equal "$status $(cat "$T/out.$i")" "$i number $i"
	done
}

@test "docker run --pid, --ipc container:X: one VM" {
	local boot net
	box --ipc shareable
	net=container:$c
	boot=$(inside cat /proc/sys/kernel/random/boot_id)
	run drun --pid "container:$c" --ipc "container:$c" e2e-busybox sh -c \
		'cat /proc/sys/kernel/random/boot_id; ps | grep -c "[s]leep 1000"; echo shared >/dev/shm/x'
	equal "$status: $output" "0: $boot"$'\n1'
	equal "$(inside cat /dev/shm/x)" shared
	# the second one's program is signalled from the first; the first goes on after it
	dup --name "$c-2" --pid "container:$c" e2e-busybox sleep 3000
	eventually 30 sees_process "sleep 3000"
	inside sh -c 'kill $(ps | awk "/[s]leep 3000/ { print \$1 }")'
	equal "$(d wait "$c-2")" 143
	inside true
	# and when the first goes, all of its pid namespace go
	d start "$c-2"
	d kill "$c"
	equal "$(d wait "$c-2")" 137
}

@test "docker restart of one that another has joined" {
	box
	net=container:$c dup --name "$c-2" e2e-busybox sleep 3000
	d restart -t 0 "$c"
	inside true
	d exec "$c-2" true
	equal "$(of "$c-2" State.Status)" running
}

@test "docker run --pid container:X with a network of its own is refused" {
	box
	run -125 drun --pid "container:$c" e2e-busybox true
	has "$output" "join its network too"
	inside true
}

@test "docker-compose up, exec, down" {
	local dc="timeout 120 docker-compose -p ${c,,} -f $T/compose.yml"
	cat >"$T/compose.yml" <<-END
		version: "2.4"
		x-common: &common
		  image: e2e-busybox
		  runtime: $KATA_ENGINE_RUNTIME
		  network_mode: none
		  volumes: ["shared:/shared"]
		services:
		  one:
		    <<: *common
		    command: sh -c 'echo one >/shared/one; exec sleep 1000'
		    healthcheck:
		      test: test -e /shared/one
		      interval: 1s
		  two:
		    <<: *common
		    command: sh -c 'until [ -e /shared/one ]; do sleep 0.1; done; cat /shared/one; exec sleep 1000'
		    depends_on:
		      one:
		        condition: service_healthy
		  three:
		    <<: *common
		    command: sleep 1000
		    mem_limit: 100m
		volumes:
		  shared: {}
	END
	$dc up -d 3>&-
	equal "$($dc ps -q | wc -l)" 3
	equal "$($dc exec -T two cat /shared/one 3>&-)" one
	$dc restart -t 1 three 3>&-
	$dc down -t 1 -v 3>&-
	equal "$(d ps -aq)" ""
}
