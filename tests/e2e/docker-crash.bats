#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# docker-crash: what becomes of containers when dockerd and its containerd are killed and come
# back (live-restore), when a shim of containerd's is killed, and when one of our own
# processes is: no container is lost that runc would not lose, nothing is left. As
# docker-crash-sid.bats, a link to this file, with the current docker.

load helpers
load engines

setup_file()
{
	docker_setup --live-restore
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
	docker_answers || docker_start || true
	docker_clean
}

# ticker [OPTION...]: container $c, which says "tick N", and ends with 5 at TERM
ticker()
{
	dup --name "$c" "$@" e2e-busybox sh -c 'trap "exit 5" TERM; i=0
		while :; do i=$((i + 1)); echo tick $i; sleep 0.1; done' >/dev/null
	eventually 60 logged "$c" tick
}

# tick: the last number
tick()
{
	timeout 10 docker logs --tail 1 "$1" | awk '{ print $2 }'
}

ticks_after()
{
	[ "$(tick "$1")" -gt "$2" ]
}

# is_well: it is the one that was started, everything can be done with it, and it ends as it should
is_well()
{
	equal "$(of "$c" State.Status)" running
	equal "$(of "$c" State.Pid)" "$1"
	eventually 30 ticks_after "$c" "$(tick "$c")"
	equal "$(inside echo inside)" inside
	d stop -t 30 "$c"
	equal "$(of "$c" State.ExitCode)" 5
}

@test "live-restore: running, exec'd into" {
	local pid
	ticker
	pid=$(of "$c" State.Pid)
	inside sh -c 'echo begun >/begun; sleep 1000' &
	eventually 30 inside test -e /begun
	docker_kill9
	docker_start
	is_well "$pid"
}

@test "live-restore: twice, with kills right after the start" {
	local pid
	ticker
	pid=$(of "$c" State.Pid)
	docker_kill9
	docker_start
	docker_kill9
	docker_start
	is_well "$pid"
}

@test "live-restore: right after run -d" {
	local pid
	dup --name "$c" e2e-busybox sh -c 'trap "exit 5" TERM; i=0
		while :; do i=$((i + 1)); echo tick $i; sleep 0.1; done'
	docker_kill9
	docker_start
	pid=$(of "$c" State.Pid)
	eventually 60 logged "$c" tick
	is_well "$pid"
}

@test "live-restore: it ended while the daemon was away" {
	local pid
	mkdir "$T/v"
	dup --name "$c" -v "$T/v:/v" e2e-busybox sh -c 'until [ -e /v/go ]; do sleep 0.1; done; exit 7'
	pid=$(of "$c" State.Pid)
	docker_kill9
	touch "$T/v/go"
	eventually 30 gone "$pid"
	docker_start
	eventually 30 is "$c" State.Status exited
	# containerd 2 drops the shim of what has ended before dockerd asks: 255, with runc too
	case $(engine_suite) in
	sid) [[ $(of "$c" State.ExitCode) = @(7|255) ]] ;;
	*) equal "$(of "$c" State.ExitCode)" 7 ;;
	esac
	rm "$T/v/go"
	d start "$c"
	equal "$(of "$c" State.Running)" true
}

@test "live-restore: paused" {
	local pid
	ticker
	pid=$(of "$c" State.Pid)
	d pause "$c"
	docker_kill9
	docker_start
	equal "$(of "$c" State.Status)" paused
	d unpause "$c"
	is_well "$pid"
}

@test "live-restore: while it is stopped" {
	dup --name "$c" e2e-busybox sh -c 'trap "echo term; sleep 2; exit 5" TERM; echo up
		while :; do sleep 0.1; done'
	eventually 60 logged "$c" up
	d stop -t 60 "$c" &
	eventually 30 logged "$c" term
	docker_kill9
	docker_start
	eventually 60 is "$c" State.Status exited
	equal "$(of "$c" State.ExitCode)" 5
}

# killed_when CONDITION...: run -d, and the kill as soon as the condition holds
killed_when()
{
	dup --name "$c" e2e-busybox sleep 1000 >/dev/null 2>&1 &
	eventually 60 "$@"
	docker_kill9
	docker_start
}

runtime_began()
{
	[ -n "$(find "$D/exec/runtime-runc/moby" -mindepth 1 -maxdepth 1 ! -name '@*' 2>/dev/null)" ]
}

created()
{
	[ -n "$(find "$D/exec/containerd/daemon/io.containerd.runtime.v2.task/moby" -name init.pid)" ]
}

# A task that docker had not heard of when it was killed, docker 20.10 and its containerd forget,
# with runc too: shim, bundle and what the runtime made stay. When that shim has gone as well, the
# next containerd cleans up, with `delete --force` of what may be half made.
swept()
{
	local bundle
	docker_no_leaks && return
	for bundle in "$D"/exec/containerd/daemon/io.containerd.runtime.v2.task/moby/*; do
		[ -d "$bundle" ] || continue
		kill -9 "$(pgrep -f "containerd-shim-runc-v2.* -id ${bundle##*/} ")" || true
	done
	docker_kill9
	docker_start
}

@test "live-restore: while it is created" {
	killed_when runtime_began
	d rm -f "$c"
	swept
}

@test "live-restore: before it is started" {
	killed_when created
	d rm -f "$c"
	swept
}

@test "containerd alone is killed: dockerd starts it again" {
	local pid p
	ticker
	pid=$(of "$c" State.Pid)
	p=$(pgrep -f "^[^ ]*containerd --config $D/exec/containerd/containerd.toml")
	kill -9 "$p"
	eventually 30 gone "$p"
	eventually 60 inside true
	is_well "$pid"
}

@test "the shim of containerd is killed" {
	local pid
	ticker
	pid=$(of "$c" State.Pid)
	kill -9 "$(pgrep -f "containerd-shim-runc-v2.* -id $(of "$c" Id) ")"
	eventually 60 is "$c" State.Status exited
	equal "$(of "$c" State.ExitCode)" 137
	eventually 30 gone "$pid"
	d start "$c"
	inside true
}

@test "the stand-in is killed" {
	ticker
	kill -9 "$(of "$c" State.Pid)"
	eventually 30 is "$c" State.Status exited
	equal "$(of "$c" State.ExitCode)" 137
	d start "$c"
	inside true
}

@test "supervisor and VMM are killed" {
	local p
	for p in kata-sandbox qemu-system; do
		ticker
		kill -9 "$(our_process "$p")"
		eventually 30 is "$c" State.Status exited
		equal "$(of "$c" State.ExitCode)" 137
		d rm "$c"
	done
}

# our_process NAME: the one of $c's VM
our_process()
{
	timeout 20 python3 "$e2e_dir/processes.py" "$D/exec/runtime-runc" | awk -v n="$1" '$3 ~ n { print $2; exit }'
}

@test "exec's stand-in and its client are killed" {
	local pid
	ticker
	pid=$(of "$c" State.Pid)
	inside sleep 2000 &
	eventually 30 tops "sleep 2000"
	kill -9 "$(d top "$c" -eo pid,args | awk '/sleep 2000/ { print $1 }')"
	wait $! || equal $? 137
	eventually 30 no_top "sleep 2000"
	eventually 30 in_guest_gone "sleep 2000"
	is_well "$pid"
}

tops()
{
	d top "$c" | grep -q "$1"
}

no_top()
{
	! tops "$1"
}

in_guest_gone()
{
	! inside ps | grep -q "$1"
}
