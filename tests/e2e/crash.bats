#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# crash: any process may die at any time. The others notice, the state is true, the stand-in
# ends with 137, and `delete --force` cleans everything. And many containers, in a row
# and at once.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

# a running container below a subreaper; $shim and $sandbox are its processes
running()
{
	sh_bundle b 'echo up; sleep 1000'
	adopt "$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/b" --pid-file "$T/pid" "$c" \
		</dev/null >"$T/$c.out" 2>"$T/$c.err"
	if [ "${1:-}" != created ]; then
		kata start "$c"
		wait_output "$c" up
	fi
	shim=$(cat "$T/pid")
	sandbox=$(sandbox_pid)
	equal "$(record "$c" .shim.pid)" "$shim"
}

# kill must never get "" or 0
sandbox_pid()
{
	local pid
	pid=$(record "$c" .sandbox.pid)
	[ "$pid" -gt 1 ] || fail "the sandbox's pid is \"$pid\""
	echo "$pid"
}

# child_of_sandbox NAME: a process that the sandbox started; virtiofsd has a pid namespace
# of its own
child_of_sandbox()
{
	pgrep -o -P "$sandbox" -f "$1" || fail "no $1 in the sandbox"
}

# nothing but the state directory is left, and delete removes that
all_stopped()
{
	wait_stopped "$c"
	equal "$(kata state "$c" | jq -r .pid)" 0
	eventually 10 gone "$sandbox"
	eventually 10 no_processes
	run ! kata kill "$c" TERM
	has "$output" "container not running"
	kata delete --force "$c"
	equal "$(leaks)" ""
}

no_processes()
{
	! our_processes | grep -v adopt.py
}

@test "the shim is killed" {
	running
	kill -9 "$shim"
	equal "$(exit_of "$shim")" 137
	all_stopped
}

@test "the sandbox is killed" {
	running
	kill -9 "$sandbox"
	equal "$(exit_of "$shim")" 137
	all_stopped
}

@test "the sandbox is killed before start" {
	running created
	kill -9 "$sandbox"
	equal "$(exit_of "$shim")" 137
	all_stopped
}

# bats test_tags=clh
@test "the hypervisor is killed" {
	running
	child=$(child_of_sandbox "$(vmm_name)")
	kill -9 "$child"
	equal "$(exit_of "$shim")" 137
	all_stopped
}

# bats test_tags=clh
@test "the hypervisor is stopped, and the container deleted" {
	running
	child=$(child_of_sandbox "$(vmm_name)")
	kill -STOP "$child"
	kata delete --force "$c"
	equal "$(exit_of "$shim")" 137
	equal "$(leaks)" ""
}

# A program that always waits for pages of /big, itself not on the share.
faulting()
{
	bundle b '.root.path = "'"$T/rootfs"'"' '.process.args = ["/bin/faults"]' \
		'.mounts += [{"destination": "/bin", "type": "tmpfs", "source": "bin",
			"options": ["tmpcopyup"]}]'
	mkdir -p "$T/rootfs/bin"
	truncate -s 1G "$T/rootfs/big"
	gcc -O1 -static -x c -o "$T/rootfs/bin/faults" - <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(void)
		{
			int fd = open("/big", O_RDONLY);
			volatile char *m = mmap(0, 1 << 30, PROT_READ, MAP_SHARED, fd, 0);

			close(fd);
			write(1, "up\n", 3);
			for (unsigned at = 0;; at = (at + 4096) % (1 << 30))
				(void)m[at];
		}
	END
	create "$c" b
	kata start "$c"
	wait_output "$c" up
	sandbox=$(sandbox_pid)
}

has_no_process()
{
	[ "$(kata events --stats "$c" | jq .data.memory.raw.anon)" = 0 ]
}

# the guest's kernel must not unmount the rootfs while reads of it are on their way
@test "a program ends while virtiofsd answers nothing" {
	local child server
	faulting
	child=$(child_of_sandbox virtiofsd)
	server=$(pgrep -P "$child" || echo "$child") # the one in C forks
	kill -STOP "$server"
	kata kill "$c" KILL
	run eventually 10 has_no_process
	kill -CONT "$server"
	equal "$status" 0
	eventually 20 is_status "$c" stopped
	eventually 10 gone "$sandbox"
	kata delete "$c"
}

@test "virtiofsd is killed" {
	running
	child=$(child_of_sandbox virtiofsd)
	kill -9 "$child"
	equal "$(exit_of "$shim")" 137
	all_stopped
}

# it is started by the sandbox, or by a stand-in for a VMM that serves vsock itself
vsock_device()
{
	[ "${KATA_DRIVER:-qemu}" != qemu ] || {
		child_of_sandbox vhost-device-vsock
		return
	}
	pgrep -o -P "$(child_of_sandbox "$(vmm_name)")" -f vhost-device-vsock || fail "no vhost-device-vsock"
}

@test "the vsock device is killed" {
	[ -z "${KATA_VMM:-}" ] || skip "hardware: a real VMM serves vsock itself"
	[ ! -e /dev/vhost-vsock ] || [ "${KATA_DRIVER:-qemu}" != qemu ] || conf hypervisor "vsock = vhost-user"
	running
	child=$(vsock_device)
	kill -9 "$child"
	equal "$(exit_of "$shim")" 137
	all_stopped
}

@test "shim and sandbox are killed together" {
	running
	kill -9 "$sandbox" "$shim"
	equal "$(exit_of "$shim")" 137
	all_stopped
}

@test "the sandbox is killed while it is stopped" {
	running
	kill -STOP "$sandbox"
	kata delete --force "$c"
	eventually 20 gone "$sandbox"
	equal "$(leaks)" ""
}

@test "output that was written before the crash is delivered" {
	sh_bundle b 'seq 20000; echo end; sleep 1000'
	adopt "$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/b" --pid-file "$T/pid" "$c" \
		</dev/null >"$T/$c.out" 2>"$T/$c.err"
	kata start "$c"
	wait_output "$c" end
	sandbox=$(sandbox_pid)
	kill -9 "$sandbox"
	equal "$(exit_of "$(cat "$T/pid")")" 137
	cmp "$T/$c.out" <(seq 20000; echo end)
	kata delete --force "$c"
}

@test "delete --force of a crashed container runs poststop hooks" {
	local filter
	filter='.hooks.poststop = [{"path": "/bin/sh", "args": ["sh", "-c", "cat >'"$T"'/hook"]}]'
	sh_bundle b 'sleep 1000' "$filter"
	create "$c" b
	sandbox=$(sandbox_pid)
	kill -9 "$sandbox"
	wait_stopped "$c"
	kata delete "$c"
	equal "$(jq -r .status "$T/hook")" stopped
	equal "$(jq -r .id "$T/hook")" "$c"
}

# The runtime itself is killed in the middle of create, as by an engine that gives up.
killed_create()
{
	local runtime
	"$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/b" --pid-file "$T/pid" "$c" \
		</dev/null >/dev/null 2>"$T/err" 3>&- &
	runtime=$!
	sleep "$1"
	kill -9 $runtime 2>/dev/null || true
	wait $runtime 2>/dev/null || true
	eventually 20 no_processes_but_a_finished_one
	kata delete --force "$c"
	rm -f "$T/pid"
	eventually 5 no_leaks
}

# create may have been faster than we were
no_processes_but_a_finished_one()
{
	[ -e "$T/pid" ] || ! our_processes | grep .
}

no_leaks()
{
	[ -z "$(leaks)" ]
}

@test "create is killed at various times" {
	local t
	bundle b
	for t in 0.005 0.02 0.05 0.1 0.2 0.4 0.8 1.2 1.6; do
		killed_create $t
	done
}

@test "run is killed: the container can be deleted" {
	sh_bundle b 'echo up; sleep 1000'
	"$KATA_RUNTIME" --root "$ROOT" run --bundle "$T/b" "$c" \
		</dev/null >"$T/$c.out" 2>"$T/$c.err" 3>&- &
	local runtime=$!
	wait_output "$c" up
	kill -9 $runtime
	wait $runtime 2>/dev/null || true
	kata delete --force "$c"
	eventually 5 no_leaks
}

@test "a record that makes no sense" {
	sh_bundle b 'sleep 1000'
	create "$c" b
	cp "$ROOT/$c/record.json" "$T/record"
	echo '{' >"$ROOT/$c/record.json"
	run ! kata state "$c"
	equal "${#lines[@]}" 1
	run -0 kata list -q
	cp "$T/record" "$ROOT/$c/record.json"
	equal "$(status_of "$c")" created
}

@test "a pid that was given to another process" {
	bundle b
	sleep 1000 3>&- &
	local other=$!
	create "$c" b
	kata kill "$c" 9
	wait_stopped "$c"
	jq ".shim.pid = $other" "$ROOT/$c/record.json" >"$T/record"
	cp "$T/record" "$ROOT/$c/record.json"
	equal "$(status_of "$c")" stopped
	run ! kata kill "$c" 9
	kata delete --force "$c"
	kill -0 $other
}

@test "50 containers in a row" {
	local i
	sh_bundle b 'echo $((6 * 7)); exit 3'
	for i in $(seq 50); do
		run -3 kata run --bundle "$T/b" "$c-$i"
		equal "$output" 42
	done
	equal "$(leaks)" ""
}

@test "8 containers at once" {
	local i pids=()
	sh_bundle b 'read n; echo "number $n"; exit $n'
	for i in $(seq 8); do
		(
			status=0
			echo "$i" | E2E_TIMEOUT=300 kata run --bundle "$T/b" "$c-$i" \
				>"$T/out.$i" 2>&1 || status=$?
			echo $status >"$T/status.$i"
		) 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in $(seq 8); do
		equal "$(cat "$T/out.$i")" "number $i"
		equal "$(cat "$T/status.$i")" "$i"
	done
	equal "$(leaks)" ""
}

@test "state, list and kill from many callers at once" {
	local i pids=()
	sh_bundle b 'trap : USR1; echo up; while :; do sleep 0.1; done'
	start_container "$c" b
	wait_output "$c" up
	for i in $(seq 20); do
		{ kata state "$c" && kata list && kata kill "$c" USR1; } >"$T/out.$i" 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	equal "$(status_of "$c")" running
}

@test "two deletes at once" {
	local a b
	sh_bundle b 'sleep 1000'
	start_container "$c" b
	kata delete --force "$c" 3>&- & a=$!
	kata delete --force "$c" 3>&- & b=$!
	wait $a
	wait $b
	equal "$(leaks)" ""
}
