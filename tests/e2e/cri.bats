#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cri: pods in the shape that containerd's CRI plugin gives them: a sandbox container and
# members with its annotations and the paths of the sandbox's namespaces, one shim for all.
# Driven by ctr, as no package has a client of the CRI.

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
	s=$c-sandbox
	netns=$c
	network "$netns"
}

teardown()
{
	ctr_teardown
}

network()
{
	ip netns add "$1"
	ip -n "$1" link set lo up
}

# sandbox [COMMAND...]
sandbox()
{
	[ $# -gt 0 ] || set -- sleep 1000
	cbox -d --annotation io.kubernetes.cri.container-type=sandbox \
		--annotation "io.kubernetes.cri.sandbox-id=$s" \
		--annotation io.kubernetes.cri.sandbox-name=pod \
		--with-ns "network:/run/netns/$netns" -- "$s" "$@"
	P=$(task_pid "$s")
}

# member [OPTION...] -- ID COMMAND...: of the sandbox
member()
{
	cbox --annotation io.kubernetes.cri.container-type=container \
		--annotation "io.kubernetes.cri.sandbox-id=$s" \
		--annotation io.kubernetes.cri.container-name="$c" \
		--with-ns "network:/proc/$P/ns/net" --with-ns "ipc:/proc/$P/ns/ipc" \
		--with-ns "uts:/proc/$P/ns/uts" "$@"
}

ns_of()
{
	cexec "$1" readlink "/proc/self/ns/$2"
}

boot_id_of()
{
	cexec "$1" cat /proc/sys/kernel/random/boot_id
}

# how many machines are there?
machines()
{
	timeout 20 python3 "$e2e_dir/processes.py" "$D/runc" | grep -c qemu-system
}

@test "one machine; network, ipc and uts are shared, pid and mount are not" {
	local ns
	sandbox
	member -d -- "$c-a" sleep 1000
	member -d -- "$c-b" sleep 1000
	equal "$(boot_id_of "$c-a")" "$(boot_id_of "$s")"
	equal "$(boot_id_of "$c-b")" "$(boot_id_of "$s")"
	[ "$(boot_id_of "$s")" != "$(cat /proc/sys/kernel/random/boot_id)" ]
	equal "$(machines)" 1
	for ns in net ipc uts; do
		equal "$(ns_of "$c-a" $ns)" "$(ns_of "$s" $ns)"
		equal "$(ns_of "$c-b" $ns)" "$(ns_of "$s" $ns)"
	done
	for ns in pid mnt; do
		[ "$(ns_of "$c-a" $ns)" != "$(ns_of "$s" $ns)" ]
		[ "$(ns_of "$c-a" $ns)" != "$(ns_of "$c-b" $ns)" ]
	done
	# and the stand-ins on the host have the same
	for ns in net ipc uts; do
		equal "$(readlink "/proc/$(task_pid "$c-a")/ns/$ns")" "$(readlink "/proc/$P/ns/$ns")"
	done
}

@test "members talk over loopback" {
	sandbox
	member -d -- "$c-a" sh -c 'echo hello from a | nc -l -p 7777; sleep 1000'
	equal "$(member --rm -- "$c-b" sh -c \
		'until nc 127.0.0.1 7777; do sleep 0.1; done' 2>/dev/null)" "hello from a"
}

@test "members have statuses of their own; one that ends ends no other" {
	sandbox
	member -d -- "$c-a" sh -c 'trap "exit 3" TERM; touch /up; while :; do sleep 0.1; done'
	run -7 member --rm -- "$c-b" sh -c 'exit 7'
	run -1 member --rm -- "$c-d" no-such-program
	has "$output" 'executable file not found in $PATH'
	is_task "$c-a" RUNNING
	wait_up "$c-a"
	timeout 20 ctr tasks kill "$c-a"
	equal "$(task_end "$c-a")" 3
	is_task "$s" RUNNING
	# the same id again, as a restart policy has it
	equal "$(member --rm -- "$c-a" echo again)" again
}

@test "deleted in any order" {
	sandbox
	member -d -- "$c-a" sleep 1000
	member -d -- "$c-b" sleep 1000
	member -d -- "$c-d" sleep 1000
	timeout 20 ctr tasks kill -s 9 "$c-b"
	equal "$(task_end "$c-b")" 137
	timeout 20 ctr tasks kill -s 9 "$c-d"
	equal "$(task_end "$c-d")" 137
	equal "$(cexec "$c-a" echo here)" here
	timeout 20 ctr tasks kill -s 9 "$c-a"
	equal "$(task_end "$c-a")" 137
	equal "$(cexec "$s" echo here)" here
	timeout 20 ctr tasks kill -s 9 "$s"
	equal "$(task_end "$s")" 137
	[ -z "$(ctr_leaks)" ] || fail "$(ctr_leaks)"
}

@test "the sandbox is killed first: its members end with 137" {
	sandbox
	member -d -- "$c-a" sleep 1000
	member -d -- "$c-b" sleep 1000
	timeout 20 ctr tasks kill -s 9 "$s"
	eventually 60 is_task "$s" STOPPED
	equal "$(task_end "$c-b")" 137
	equal "$(task_end "$s")" 137
	equal "$(task_end "$c-a")" 137
}

@test "a member in the sandbox's pid namespace sees its processes" {
	sandbox sh -c 'while :; do sleep 0.1; done'
	has "$(member --rm --with-ns "pid:/proc/$P/ns/pid" -- "$c-a" cat /proc/1/cmdline |
		tr '\0' ' ')" "while :"
	is_task "$s" RUNNING
}

@test "each member has its limits, statistics and pause" {
	sandbox
	member -d --memory-limit 33554432 "${with_cgroup[@]}" -- "$c-a" sleep 1000
	member -d --memory-limit 67108864 "${with_cgroup[@]}" -- "$c-b" sleep 1000
	equal "$(cexec "$c-a" cat /sys/fs/cgroup/memory.max)" 33554432
	equal "$(cexec "$c-b" cat /sys/fs/cgroup/memory.max)" 67108864
	[ "$(metric "$c-a" memory.usage_in_bytes)" -gt 0 ]
	timeout 30 ctr tasks pause "$c-a"
	is_task "$c-a" PAUSED
	equal "$(cexec "$c-b" echo runs)" runs
	timeout 30 ctr tasks resume "$c-a"
	equal "$(cexec "$c-a" echo runs)" runs
}

@test "seccomp: of the member that has a profile, not of its pod; exec too" {
	# a user namespace needs no capability: that it is refused is the profile's doing
	sandbox
	member -d --seccomp -- "$c-a" sleep 1000
	run cexec "$c-a" sh -c 'grep -E "^Seccomp:" /proc/self/status; unshare -U true; echo $?; mkdir /d && echo made'
	has "$output" $'Seccomp:\t2'
	has "$output" "Operation not permitted"
	has "$output" $'\n1\nmade'
	equal "$(member --rm -- "$c-b" sh -c 'grep -E "^Seccomp:" /proc/self/status; unshare -U true && echo may')" \
		$'Seccomp:\t0\nmay'
	run ! member --rm --seccomp -- "$c-b" unshare -U true
	has "$output" "Operation not permitted"
}

@test "two pods are two machines" {
	local first=$s
	sandbox
	s=$c-other
	network "$c-2"
	netns=$c-2 sandbox
	[ "$(boot_id_of "$first")" != "$(boot_id_of "$s")" ]
	equal "$(machines)" 2
}

@test "containerd killed and started again: the pod takes new members" {
	sandbox
	member -d -- "$c-a" sleep 1000
	containerd_stop KILL
	containerd_start
	is_task "$c-a" RUNNING
	equal "$(member --rm -- "$c-b" cat /proc/sys/kernel/random/boot_id)" "$(boot_id_of "$s")"
}

@test "the pod's shim is killed: all of it ends, nothing stays" {
	local pid
	sandbox
	member -d -- "$c-a" sleep 1000
	pid=$(task_pid "$c-a")
	kill -9 "$(shim_of "$s")"
	eventually 60 gone "$P"
	eventually 60 gone "$pid"
	eventually 60 no_tasks
	timeout 20 ctr containers rm "$c-a" "$s"
}

no_tasks()
{
	[ -z "$(timeout 20 ctr tasks ls -q)" ]
}
