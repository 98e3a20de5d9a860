#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# pods: several containers in one VM, joined by the path of a namespace or by annotations
# (CONTRACT 0.12, 1.16). Bundles by hand; what engines make of it is tested with them.

load helpers

setup()
{
	e2e_setup
	m=$c-member
}

teardown()
{
	e2e_teardown
}

tell='for n in net ipc uts pid; do echo $n $(readlink /proc/self/ns/$n); done; echo up; '

# first [SCRIPT]: container $c of bundle s, running, in a VM of its own
first()
{
	sh_bundle s "$tell${1:-sleep 1000}"
	start_container "$c" s
	wait_output "$c" up
	shim=$(cat "$T/$c.pid")
	sandbox=$(record "$c" .sandbox.pid)
	[ "$sandbox" -gt 1 ]
}

# paths TYPE...: filter that takes these namespaces from $shim
paths()
{
	local t
	for t in "$@"; do
		printf '(.linux.namespaces[] | select(.type == "%s")).path = "/proc/%s/ns/%s" | ' \
			"$t" "$shim" "${t/network/net}"
	done
	echo .
}

cri()
{
	echo '.annotations = {"io.kubernetes.cri.container-type": "container",
		"io.kubernetes.cri.sandbox-id": "'"$1"'"}'
}

crio()
{
	echo '.annotations = {"io.kubernetes.cri-o.ContainerType": "container",
		"io.kubernetes.cri-o.SandboxID": "'"$1"'"}'
}

# member SCRIPT FILTER...: container $m, running
member()
{
	local script=$1
	shift
	sh_bundle "$m" "$tell$script" "$@"
	start_container "$m" "$m"
	wait_output "$m" up
}

guest_ns()
{
	awk -v n="$2" '$1 == n { print $2 }' "$T/$1.out"
}

# shares TYPE...: these and no others, in the guest and for the stand-ins on the host
shares()
{
	local n pid
	pid=$(cat "$T/$m.pid")
	for n in net ipc uts pid; do
		case " $* " in
		*" $n "*) equal "$(guest_ns "$m" $n)" "$(guest_ns "$c" $n)" ;;
		*) [ "$(guest_ns "$m" $n)" != "$(guest_ns "$c" $n)" ] || fail "$n is shared" ;;
		esac
		# a shim has a pid namespace of its own, whatever its container shares
		[ $n != pid ] || continue
		case " $* " in
		*" $n "*) equal "$(readlink "/proc/$pid/ns/$n")" "$(readlink "/proc/$shim/ns/$n")" ;;
		*) [ "$(readlink "/proc/$pid/ns/$n")" != "$(readlink "/proc/$shim/ns/$n")" ] ;;
		esac
	done
}

one_vm()
{
	equal "$(record "$m" .sandboxId)" "$c"
	equal "$(record "$m" .sandbox.pid)" "$sandbox"
	[ ! -e "$ROOT/@$m" ]
	equal "$(our_processes | grep -c qemu-system)" 1
}

nothing_is_left()
{
	eventually 10 gone "$sandbox"
	equal "$(leaks)" ""
}

@test "a container joins by namespace paths" {
	first 'exec sleep 1001'
	member 'ps; exec sleep 1000' "$(paths network ipc uts pid)"
	one_vm
	shares net ipc uts pid
	wait_output "$m" 'sleep 1001'
	kata delete --force "$m"
	equal "$(status_of "$c")" running
	kata delete --force "$c"
	nothing_is_left
}

@test "a container joins the network alone" {
	first
	member 'exec sleep 1000' "$(paths network)"
	one_vm
	shares net
	kata delete --force "$m"
	kata delete --force "$c"
	nothing_is_left
}

@test "a container joins by annotations of CRI" {
	first
	member 'exec sleep 1000' "$(cri "$c")"
	one_vm
	shares net
	kata delete --force "$m"
	kata delete --force "$c"
	nothing_is_left
}

@test "a container joins by annotations of CRI-O and paths" {
	first
	member 'exec sleep 1000' "$(crio "$c")" "$(paths network ipc uts)"
	one_vm
	shares net ipc uts
	kata delete --force "$m"
	kata delete --force "$c"
	nothing_is_left
}

@test "a third one shares what the second one has" {
	first
	member 'exec sleep 1000' "$(paths network)"
	shim=$(cat "$T/$m.pid")
	sh_bundle third "$tell sleep 1000" "$(paths network uts)"
	start_container "$c-third" third
	wait_output "$c-third" up
	equal "$(guest_ns "$c-third" uts)" "$(guest_ns "$m" uts)"
	equal "$(record "$c-third" .sandboxId)" "$c"
	kata delete --force "$m"
	kata delete --force "$c"
	equal "$(status_of "$c-third")" running
	kata delete --force "$c-third"
	nothing_is_left
}

@test "the first container is deleted first" {
	first
	member 'trap "echo bye; exit 3" TERM; while :; do sleep 1; done' "$(paths network ipc uts)"
	kata kill "$c" KILL
	wait_stopped "$c"
	kata delete "$c"
	[ ! -e "$ROOT/$c" ]
	[ -e "$ROOT/@$c" ]
	kill -0 "$sandbox"
	equal "$(status_of "$m")" running
	kata kill "$m" TERM
	wait_stopped "$m"
	wait_output "$m" bye
	kata delete "$m"
	nothing_is_left
}

@test "a signal reaches one container only" {
	first 'trap "echo first" USR1; while :; do sleep 1; done'
	member 'trap "echo second" USR1; while :; do sleep 1; done' "$(paths network ipc uts)"
	kata kill "$m" USR1
	wait_output "$m" second
	has_not "$(cat "$T/$c.out")" first
	kata kill --all "$m" KILL
	wait_stopped "$m"
	equal "$(status_of "$c")" running
	kata kill "$c" USR1
	wait_output "$c" first
	kata delete "$m"
	kata delete --force "$c"
	nothing_is_left
}

@test "a member comes and goes many times" {
	local i
	first
	for i in 1 2 3 4 5; do
		rm -rf "${T:?}/$m" "$T/$m.out"
		member "echo round $i; exit $i" "$(paths network ipc uts)"
		wait_stopped "$m"
		wait_output "$m" "round $i"
		kata delete "$m"
	done
	kata delete --force "$c"
	nothing_is_left
}

@test "two members are created at once" {
	local i pids=()
	first
	for i in 1 2 3; do
		sh_bundle "b$i" "$tell sleep 1000" "$(paths network ipc uts)"
		create "$c-$i" "b$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	for i in 1 2 3; do
		equal "$(record "$c-$i" .sandboxId)" "$c"
		kata start "$c-$i"
		wait_output "$c-$i" up
	done
	pids=()
	for i in "$c" "$c-1" "$c-2" "$c-3"; do
		kata delete --force "$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	nothing_is_left
}

# both below a subreaper, to see how they end
adopted_pod()
{
	sh_bundle s "$tell sleep 1000"
	sh_bundle "$m" "$tell sleep 1000" "$(cri "$c")"
	cat >"$T/create" <<-EOF
		"$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/s" --pid-file "$T/$c.pid" "$c" >"$T/$c.out" &&
		"$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/$m" --pid-file "$T/$m.pid" "$m" >"$T/$m.out"
	EOF
	adopt sh "$T/create" </dev/null 2>"$T/err"
	kata start "$c"
	kata start "$m"
	wait_output "$c" up
	wait_output "$m" up
	sandbox=$(record "$c" .sandbox.pid)
	[ "$sandbox" -gt 1 ]
}

@test "the sandbox is killed: all end with 137" {
	adopted_pod
	kill -9 "$sandbox"
	equal "$(exit_of "$(cat "$T/$c.pid")")" 137
	equal "$(exit_of "$(cat "$T/$m.pid")")" 137
	equal "$(status_of "$c")" stopped
	equal "$(status_of "$m")" stopped
	run ! kata kill "$m" TERM
	has "$output" "container not running"
	kata delete "$c"
	kata delete "$m"
	nothing_is_left
}

@test "the shim of a member is killed: only it ends" {
	adopted_pod
	kill -9 "$(cat "$T/$m.pid")"
	equal "$(exit_of "$(cat "$T/$m.pid")")" 137
	wait_stopped "$m"
	equal "$(status_of "$c")" running
	kata delete "$m"
	kill -9 "$(cat "$T/$c.pid")"
	wait_stopped "$c"
	kata delete "$c"
	nothing_is_left
}

@test "the sandbox is stopped: a forced delete of any ends it" {
	first
	member 'exec sleep 1000' "$(paths network ipc uts)"
	kill -STOP "$sandbox"
	kata delete --force "$m"
	eventually 20 gone "$sandbox"
	wait_stopped "$c"
	kata delete --force "$c"
	nothing_is_left
}

@test "create of a member is killed: the others go on" {
	local runtime t
	first
	for t in 0.005 0.02 0.05 0.1 0.3; do
		rm -rf "${T:?}/$m"
		sh_bundle "$m" 'sleep 1000' "$(paths network ipc uts)"
		"$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/$m" "$m" \
			</dev/null >/dev/null 2>&1 3>&- &
		runtime=$!
		sleep $t
		kill -9 $runtime 2>/dev/null || true
		wait $runtime 2>/dev/null || true
		kata delete --force "$m"
		[ ! -e "$ROOT/$m" ]
		equal "$(status_of "$c")" running
	done
	rm -rf "${T:?}/$m"
	member 'exec sleep 1000' "$(paths network ipc uts)"
	kata delete --force "$m"
	kata delete --force "$c"
	nothing_is_left
}

@test "a failed create of a member leaves the others alone" {
	first
	bundle "$m" "$(paths network ipc uts)" '.process.args = ["/no/such/program"]'
	run ! create "$m" "$m"
	has "$output" "no such file or directory"
	[ ! -e "$ROOT/$m" ]
	equal "$(status_of "$c")" running
	rm -rf "${T:?}/$m"
	member 'exec sleep 1000' "$(paths network ipc uts)"
	kata delete --force "$m"
	kata delete --force "$c"
	nothing_is_left
}

@test "a container whose VM lives on for others is made again" {
	first
	member 'exec sleep 1000' "$(paths network)"
	kata delete --force "$c"
	# the VM has left its group to it
	start_container "$c" s
	equal "$(record "$c" .sandboxId)" "$c~2"
	sandbox=$(record "$c" .sandbox.pid)
	kata delete --force "$m"
	equal "$(status_of "$c")" running
	kata delete --force "$c"
	nothing_is_left
}

# refused TEXT FILTER...
refused()
{
	local text=$1
	shift
	rm -rf "${T:?}/$m"
	bundle "$m" "$@"
	run ! create "$m" "$m"
	has "$output" "$text"
	[ ! -e "$ROOT/$m" ]
	[ ! -e "$ROOT/@$m" ]
}

@test "what cannot be joined is refused by name" {
	first
	refused "no container other is running" "$(cri other)"
	refused "a network of its own cannot be had" "$(paths ipc)"
	refused "is sandbox, but linux.namespaces are of container $c" "$(paths network)" \
		'.annotations = {"io.kubernetes.cri.container-type": "sandbox"}'
	shim=self
	refused "/proc/self/ns/ipc is the host's ipc namespace" "$(paths ipc)"
	refused "/proc/self/ns/pid is the host's pid namespace" "$(paths pid)"
	kata kill "$c" KILL
	wait_stopped "$c"
	refused "no container $c is running" "$(cri "$c")"
	kata delete "$c"
	nothing_is_left
}

# kills_counted ID: by the host's kernel, for want of memory, in the container's group
kills_counted()
{
	local pid path
	pid=$(cat "$T/$1.pid")
	path=$(awk -F: '$2 == "memory" { print "memory" $3 "/memory.oom_control" }' "/proc/$pid/cgroup")
	[ -n "$path" ] || path=$(awk -F: '$1 == 0 { print $3 "/memory.events" }' "/proc/$pid/cgroup")
	awk '$1 == "oom_kill" { print $2 }' "/sys/fs/cgroup/$path"
}

was_counted()
{
	[ "$(kills_counted "$m")" -ge 1 ]
}

# limits as the kubelet sets them: that of memory and swap together is no higher
@test "a member's want of memory is counted on the host" {
	first
	member 'tail /dev/zero; echo survived; sleep 1000' "$(paths network)" \
		'.linux.resources = { memory: { limit: 30000000, swap: 30000000 } }'
	wait_output "$m" survived
	eventually 20 was_counted
}

# number ID PATH: of its statistics
number()
{
	kata events --stats "$1" | jq ".data.$2"
}

@test "each container has numbers of its own" {
	first
	member 'head -c 40000000 /dev/zero >/dev/shm/x; echo full; exec sleep 1000' "$(paths network)"
	wait_output "$m" full
	[ "$(number "$m" memory.usage.usage)" -gt 40000000 ]
	[ "$(number "$c" memory.usage.usage)" -lt 30000000 ]
	equal "$(number "$m" pids.current)" 1
	[ "$(number "$m" cpu.usage.total)" != "$(number "$c" cpu.usage.total)" ]
}
