# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# ctr: a containerd of the test's own, and calls of its client.
#
# The daemon has root, state, sockets and configuration below $D, which containerd_begin
# makes, and a namespace of its own, which names its cgroups: a containerd that may run on
# the machine is not touched. Only its shims' sockets are in /run/containerd/s, whatever the
# configuration says; their names are hashes of our paths. helpers.bash is loaded first.
#
# Environment:
#   CTR_RUNTIME  the program below containerd, default $KATA_RUNTIME; with runc the tests
#                themselves are tested (what says that it is a VM then fails)

# --- the daemon ---------------------------------------------------------------------------------

# containerd_begin: makes $D and starts; for setup_file
containerd_begin()
{
	D=$(mktemp -d /tmp/kata-ctr.XXXXXX)
	KATA_RUNTIME=${KATA_RUNTIME:-/usr/local/bin/kata-runtime}
	CTR_RUNTIME=${CTR_RUNTIME:-$(engine_runtime "$D")}
	[ -x "$CTR_RUNTIME" ] || fail "no $CTR_RUNTIME; set KATA_RUNTIME"
	export D KATA_RUNTIME CTR_RUNTIME
	export CONTAINERD_ADDRESS=$D/c.sock CONTAINERD_NAMESPACE=kata-${D##*.}
	cat >"$D/config.toml" <<-END
		version = 2
		root = "$D/root"
		state = "$D/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$CONTAINERD_ADDRESS"
		[ttrpc]
		  address = "$CONTAINERD_ADDRESS.ttrpc"
		[debug]
		  address = "$D/debug.sock"
	END
	containerd_start || return 1
	timeout 30 python3 "$e2e_dir/image.py" "$(rootfs_busybox)" e2e/busybox:1 >"$D/image.tar"
	timeout 60 ctr image import "$D/image.tar" >/dev/null
}

containerd_start()
{
	containerd --config "$D/config.toml" </dev/null >>"$D/log" 2>&1 3>&- &
	echo $! >"$D/pid"
	disown $!
	eventually 60 containerd_answers || {
		tail -n 30 "$D/log" >&2
		return 1
	}
}

containerd_answers()
{
	timeout 10 ctr version >/dev/null 2>&1
}

# containerd_stop SIGNAL
containerd_stop()
{
	local pid
	pid=$(cat "$D/pid")
	kill "-$1" "$pid"
	eventually 30 gone "$pid" || kill -9 "$pid"
}

# for teardown_file
containerd_end()
{
	[ -n "${D:-}" ] || return 0
	[ ! -e "$D/pid" ] || containerd_stop TERM
	awk -v d="$D/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		xargs -r umount -l
	# parents of the containers' cgroups: runtimes leave them, as they may be shared
	find /sys/fs/cgroup -depth -type d -path "*/$CONTAINERD_NAMESPACE" -exec rmdir {} +
	rm -rf "$D"
}

# --- one test -----------------------------------------------------------------------------------

# Everything of this test's is deleted; what stays is a leak.
ctr_teardown()
{
	local id left
	for id in $(timeout 20 ctr containers ls -q); do
		ctr_remove "$id"
	done
	left=$(ctr_leaks)
	if [ -n "$left" ]; then
		sleep 2
		left=$(ctr_leaks)
	fi
	[ -z "${netns:-}" ] || ip netns del "$netns" 2>/dev/null || true
	[ -z "${netns:-}" ] || ip netns del "$netns-2" 2>/dev/null || true
	e2e_teardown || left+=$'\n'"(and see above)"
	[ -z "$left" ] || fail "left behind:"$'\n'"$left"
}

# ctr_remove ID: by force, and the task with it
ctr_remove()
{
	if timeout 20 ctr tasks ls -q | grep -qxF "$1"; then
		timeout 20 ctr tasks kill -s 9 "$1" || true
		timeout 60 ctr tasks rm -f "$1" || true
	fi
	timeout 20 ctr containers rm "$1" || true
} >/dev/null 2>&1

# One failed test must not fail the next: only what has this test's name is looked for.
ctr_leaks()
{
	local id tasks=$D/state/io.containerd.runtime.v2.task/$CONTAINERD_NAMESPACE
	find "$D/runc" "$tasks" -maxdepth 2 -name "*$c*" 2>/dev/null | sed 's/^/file /'
	awk -v d="$D/" -v c="$c" 'index($5, d) == 1 && index($5, c) { print "mount " $5 }' \
		/proc/self/mountinfo
	for id in "$D/runc/$CONTAINERD_NAMESPACE/"{,@}"$c" "$tasks/$c"; do
		timeout 20 python3 "$e2e_dir/processes.py" "$id"
	done
	find /sys/fs/cgroup -mindepth 2 -type d -name "*$c*" | sed 's/^/cgroup /'
}

# --- calls --------------------------------------------------------------------------------------

# ctr's own specification has no cgroup file system
with_cgroup=(--mount "type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro")

# crun OPTION... ID COMMAND...: a container of the image, in the foreground unless -d
crun()
{
	timeout -k 5 "$E2E_TIMEOUT" ctr run --runc-binary "$CTR_RUNTIME" --runc-root "$D/runc" \
		"$@" 3>&-
}

# cbox OPTION... -- ID COMMAND...: the same; the image is named between
cbox()
{
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	crun "${options[@]}" docker.io/e2e/busybox:1 "$@"
}

# cexec [OPTION...] ID COMMAND...: one more process, without stdin; exec ids are counted in $T. What it says goes
# through a file of containerd's shim: ctr opens its FIFOs beside the process's start, and when the
# process ends first, what it said is gone (measured: 1 of 320 with runc on a loaded machine).
cexec()
{
	local x status=0
	x=$(exec_id)
	timeout -k 5 "$E2E_TIMEOUT" ctr tasks exec --exec-id "$x" --log-uri "file://$T/said.$x" \
		"$@" 3>&- </dev/null || status=$?
	[ ! -e "$T/said.$x" ] || cat "$T/said.$x"
	return $status
}

# cexec_piped [OPTION...] ID COMMAND...: through ctr's own streams; for what waits for its stdin
cexec_piped()
{
	timeout -k 5 "$E2E_TIMEOUT" ctr tasks exec --exec-id "$(exec_id)" "$@" 3>&-
}

exec_id()
{
	local id
	id=$(mktemp -u "$T/x.XXXXXX")
	printf '%s\n' "${id##*/}"
}

# wait_up ID: until its program has made /up
wait_up()
{
	eventually "$E2E_TIMEOUT" cexec "$1" test -e /up 2>"$T/wait_up" || {
		tail -n 3 "$T/wait_up" >&2
		return 1
	}
}

# task_status ID: CREATED, RUNNING, PAUSED, STOPPED, or nothing
task_status()
{
	timeout 20 ctr tasks ls | awk -v id="$1" '$1 == id { print $3 }'
}

is_task()
{
	[ "$(task_status "$1")" = "$2" ]
}

task_pid()
{
	timeout 20 ctr tasks ls | awk -v id="$1" '$1 == id { print $2 }'
}

# task_end ID: deletes the stopped task and its container; prints the status it ended with,
# which ctr says with a warning
task_end()
{
	local status=0
	eventually "$E2E_TIMEOUT" is_task "$1" STOPPED || return 1
	timeout 60 ctr tasks rm "$1" 2>"$T/rm.err" 3>&- || {
		cat "$T/rm.err" >&2
		return 1
	}
	status=$(sed -n 's/.*exit with non-zero exit code \([0-9]*\).*/\1/p' "$T/rm.err")
	timeout 20 ctr containers rm "$1" || return 1
	printf '%s\n' "${status:-0}"
}

# metric ID NAME: a number of the task's
metric()
{
	timeout 20 ctr tasks metrics "$1" | awk -v name="$2" '$1 == name { print $2 }'
}

# shim_of ID: pid of containerd's shim, parent of the stand-in
shim_of()
{
	ps -o ppid= -p "$(task_pid "$1")" | tr -d ' '
}
