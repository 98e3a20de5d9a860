#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# ctr: the runtime below containerd and its runc shim, driven by containerd's client.

load helpers
load ctr

setup_file()
{
	containerd_begin
}

teardown_file()
{
	containerd_end
}

setup()
{
	e2e_setup
}

teardown()
{
	ctr_teardown
}

@test "ctr run: output of a virtual machine" {
	local out
	out=$(cbox --rm -- "$c" sh -c 'echo hello; cat /proc/sys/kernel/random/boot_id')
	equal "${out%%$'\n'*}" hello
	has_not "$out" "$(cat /proc/sys/kernel/random/boot_id)"
}

@test "ctr run: exit statuses" {
	run -0 cbox --rm -- "$c" true
	run -7 cbox --rm -- "$c" sh -c 'exit 7'
	run -139 cbox --rm -- "$c" sh -c 'sh -c "kill -SEGV \$\$"; exit $?'
	run -1 cbox --rm -- "$c" no-such-program
	has "$output" 'executable file not found in $PATH'
	run -1 cbox --rm -- "$c" /etc/passwd
	has "$output" "permission denied"
}

@test "ctr run: stdin, its end, stderr" {
	head -c 300000 /dev/urandom | base64 >"$T/in"
	cbox --rm -- "$c" sh -c 'cat; echo done >&2' <"$T/in" >"$T/out" 2>"$T/err"
	cmp "$T/in" "$T/out"
	equal "$(cat "$T/err")" "done"
}

@test "ctr run -t: a terminal of the caller's size, what is typed, settings restored" {
	run -5 timeout "$E2E_TIMEOUT" python3 "$e2e_dir/on_terminal.py" 33 77 typed \
		ctr run -t --rm --runc-binary "$CTR_RUNTIME" --runc-root "$D/runc" \
		docker.io/e2e/busybox:1 "$c" sh -c 'echo ready; read l
			until [ "$(stty size)" = "33 77" ]; do sleep 0.1; done
			tty; echo "got $l"; exit 5' 3>&-
	has "$output" /dev/pts/
	has "$output" "got typed"
	has "$output" "settings restored"
}

@test "ctr run: working directory, environment, mounts, a root that is read-only" {
	local out
	mkdir "$T/v"
	echo from the host >"$T/v/in"
	out=$(cbox --rm --cwd /tmp --env A=b --read-only \
		--mount "type=bind,src=$T/v,dst=/v,options=rbind:rw" -- \
		"$c" sh -c 'pwd; echo $A; touch /x 2>/dev/null || echo ro; cat /v/in
			echo from the guest >/v/out')
	equal "$out" $'/tmp\nb\nro\nfrom the host'
	equal "$(cat "$T/v/out")" "from the guest"
}

@test "ctr run --rootfs" {
	equal "$(crun --rm --rootfs --env PATH=/bin "$(rootfs_busybox)" "$c" echo hello)" hello
}

@test "ctr run --net-host is refused" {
	run -1 cbox --rm --net-host -- "$c" true
	has "$output" "network"
}

@test "ctr run -d: ls, ps; TERM is the program's, its status is kept" {
	cbox -d -- "$c" sh -c 'trap "exit 5" TERM; touch /up; while :; do sleep 0.1; done'
	is_task "$c" RUNNING
	wait_up "$c"
	has "$(timeout 20 ctr tasks ps "$c")" "$(task_pid "$c")"
	has "$(ps -o args= -p "$(task_pid "$c")")" "sleep 0.1"
	run timeout 20 ctr tasks rm "$c"
	[ "$status" != 0 ]
	timeout 20 ctr tasks kill "$c"
	equal "$(task_end "$c")" 5
}

@test "ctr tasks kill: by name, KILL" {
	cbox -d -- "$c" sh -c 'trap "exit 6" USR1; touch /up; while :; do sleep 0.1; done'
	wait_up "$c"
	timeout 20 ctr tasks kill -s SIGUSR1 "$c"
	equal "$(task_end "$c")" 6
	cbox -d -- "$c" sleep 1000
	timeout 20 ctr tasks kill -s 9 "$c"
	equal "$(task_end "$c")" 137
}

@test "ctr tasks kill --all reaches every process" {
	cbox -d -- "$c" sh -c 'trap "exit 4" USR1; sh -c "trap \"touch /child; exit\" USR1
		touch /up; while :; do sleep 0.1; done" & while [ ! -e /child ]; do sleep 0.1; done
		wait; exit 3'
	wait_up "$c"
	timeout 20 ctr tasks kill --all -s SIGUSR1 "$c"
	equal "$(task_end "$c")" 4
}

@test "ctr tasks exec: output, stdin, status, directory, a program that is not there" {
	cbox -d -- "$c" sleep 1000
	equal "$(echo typed | cexec_piped "$c" sh -c 'read l; echo "got $l"')" "got typed"
	run -9 cexec "$c" sh -c 'exit 9'
	equal "$(cexec --cwd /tmp "$c" pwd)" /tmp
	equal "$(cexec --user 1000:1000 "$c" id -u)" 1000
	run -1 cexec "$c" no-such-program
	has "$output" 'executable file not found in $PATH'
	is_task "$c" RUNNING
}

@test "ctr tasks exec -t: a terminal" {
	cbox -d -- "$c" sleep 1000
	run -3 timeout "$E2E_TIMEOUT" python3 "$e2e_dir/on_terminal.py" 31 71 typed \
		ctr tasks exec -t --exec-id "$(exec_id)" "$c" sh -c 'echo ready; read l
			until [ "$(stty size)" = "31 71" ]; do sleep 0.1; done
			tty; echo "got $l"; exit 3' 3>&-
	has "$output" /dev/pts/
	has "$output" "got typed"
	has "$output" "settings restored"
}

@test "ctr tasks exec: many at once; those that run end with the container" {
	local i pids=()
	cbox -d -- "$c" sleep 1000
	for i in 1 2 3 4 5 6 7 8; do
		cexec "$c" sh -c "echo number $i; exit $i" >"$T/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in 1 2 3 4 5 6 7 8; do
		local status=0
		wait "${pids[$((i - 1))]}" || status=$?
		equal $status $i
		equal "$(cat "$T/out.$i")" "number $i"
	done
	timeout 60 ctr tasks exec -d --exec-id stays "$c" sleep 1000 3>&-
	eventually 30 listed_twice "$c"
	timeout 20 ctr tasks kill -s 9 "$c"
	equal "$(task_end "$c")" 137
}

# its program and the exec'd one
listed_twice()
{
	[ "$(timeout 20 ctr tasks ps "$1" | grep -c '^[0-9]')" = 2 ]
}

@test "ctr tasks pause, resume, and KILL of the paused" {
	local before
	mkdir "$T/v"
	cbox -d --mount "type=bind,src=$T/v,dst=/v,options=rbind:rw" -- \
		"$c" sh -c 'while :; do echo x >>/v/n; sleep 0.1; done'
	eventually 30 test -s "$T/v/n"
	timeout 30 ctr tasks pause "$c"
	is_task "$c" PAUSED
	before=$(wc -c <"$T/v/n")
	run cexec "$c" true
	[ "$status" != 0 ]
	sleep 1 # long enough for ten more, were it not paused
	equal "$(wc -c <"$T/v/n")" "$before"
	timeout 30 ctr tasks resume "$c"
	is_task "$c" RUNNING
	eventually 30 grew "$T/v/n" "$before"
	timeout 30 ctr tasks pause "$c"
	timeout 30 ctr tasks kill -s 9 "$c"
	equal "$(task_end "$c")" 137
}

grew()
{
	[ "$(wc -c <"$1")" -gt "$2" ]
}

@test "ctr tasks metrics; limits" {
	cbox -d --memory-limit 67108864 --cpu-period 100000 --cpu-quota 50000 "${with_cgroup[@]}" -- \
		"$c" sh -c 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; touch /up; sleep 1000'
	wait_up "$c"
	[ "$(metric "$c" memory.usage_in_bytes)" -gt 0 ]
	[ "$(metric "$c" cpuacct.usage)" -gt 0 ]
	[ "$(metric "$c" pids.current)" -gt 0 ]
	# the host's limit has the machine's overhead in it
	[ "$(metric "$c" memory.limit_in_bytes)" -ge 67108864 ]
	[ "$(metric "$c" memory.limit_in_bytes)" -lt $((67108864 + (1 << 30))) ]
	equal "$(cexec "$c" cat /sys/fs/cgroup/memory.max)" 67108864
	equal "$(cexec "$c" cat /sys/fs/cgroup/cpu.max)" "50000 100000"
}

@test "containerd killed and started again: no container is lost" {
	cbox -d -- "$c" sh -c 'trap "exit 8" TERM; touch /up; while :; do sleep 0.1; done'
	cbox -d -- "$c-2" sh -c 'while [ ! -e /end ]; do sleep 0.1; done; exit 4'
	wait_up "$c"
	containerd_stop KILL
	containerd_start
	is_task "$c" RUNNING
	is_task "$c-2" RUNNING
	equal "$(cexec "$c" echo still here)" "still here"
	cexec "$c-2" touch /end
	equal "$(task_end "$c-2")" 4
	timeout 20 ctr tasks kill "$c"
	equal "$(task_end "$c")" 8
}

@test "a container that ends while containerd is away keeps its status" {
	local pid
	mkdir "$T/v"
	cbox -d --mount "type=bind,src=$T/v,dst=/v,options=rbind:rw" -- \
		"$c" sh -c 'touch /v/up; while [ ! -e /v/end ]; do sleep 0.1; done; exit 4'
	pid=$(task_pid "$c")
	eventually 30 test -e "$T/v/up"
	containerd_stop KILL
	touch "$T/v/end"
	eventually 30 gone "$pid"
	containerd_start
	equal "$(task_end "$c")" 4
}

@test "containerd's shim is killed: the container ends, nothing stays" {
	local shim pid
	cbox -d -- "$c" sleep 1000
	pid=$(task_pid "$c")
	shim=$(shim_of "$c")
	kill -9 "$shim"
	eventually 60 gone "$pid"
	eventually 60 no_task "$c"
	timeout 20 ctr containers rm "$c"
}

no_task()
{
	! timeout 20 ctr tasks ls -q | grep -qxF "$1"
}

@test "four at once" {
	local i pids=()
	for i in 1 2 3 4; do
		cbox --rm -- "$c-$i" sh -c "echo number $i; exit $i" >"$T/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in 1 2 3 4; do
		local status=0
		wait "${pids[$((i - 1))]}" || status=$?
		equal $status $i
		equal "$(cat "$T/out.$i")" "number $i"
	done
}
