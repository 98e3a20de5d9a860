# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# helpers: bundles, calls of the runtime, and the watch over what a test leaves behind.
#
# Each test has a directory $T with its own state root, so that many can run side by side
# and nothing of an engine's is touched. Every external command that could hang runs under
# `timeout`. After each test no process, mount, cgroup, link, named netns or file of its
# making may be left: what the test itself did not delete is deleted first, and if
# something stays then, the test fails.
#
# Environment:
#   KATA_RUNTIME  the installed program, default /usr/local/bin/kata-runtime
#   KATA_CACHE    root file systems are kept here, default ~/.cache/kata
#   KATA_KEEP     1: leave everything as it is, for a look
#   KATA_DRIVER   [hypervisor] driver of every container that a test does not configure itself
#   KATA_VMM      its program; for cloud-hypervisor the stand-in of tests/fakes unless given

bats_require_minimum_version 1.5.0

# A VM under TCG on a busy machine: all waiting is bounded by this.
: "${E2E_TIMEOUT:=90}"

e2e_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

e2e_cache()
{
	printf '%s/e2e' "${KATA_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kata}"
}

# --- setup and teardown of one test -----------------------------------------------------------

e2e_setup()
{
	KATA_RUNTIME=${KATA_RUNTIME:-/usr/local/bin/kata-runtime}
	[ -x "$KATA_RUNTIME" ] || fail "no $KATA_RUNTIME; set KATA_RUNTIME"
	T=$(mktemp -d /tmp/kata-e2e.XXXXXX)
	ROOT=$T/root
	c=e2e-${T##*.}
	links_before=$(link_names)
	rootfs_busybox >/dev/null
	export KATA_RUNTIME T ROOT c
	use_driver "$T"
}

# use_driver DIR: with another driver than the default a configuration DIR/kata.conf that says so,
# which conf() adds to
use_driver()
{
	[ "${KATA_DRIVER:-qemu}" != qemu ] || return 0
	printf '%s\n' '[hypervisor]' "driver = $KATA_DRIVER" "path = $(driver_program "$1")" >"$1/kata.conf"
	export KATA_CONFIG=$1/kata.conf
}

# driver_program DIR: a stand-in for Cloud Hypervisor there that is told where things are, because the
# runtime starts it without an environment; or $KATA_VMM
driver_program()
{
	[ -z "${KATA_VMM:-}" ] || { printf '%s\n' "$KATA_VMM"; return; }
	cat >"$1/cloud-hypervisor" <<-END
		#!/bin/sh
		KATA_STAND_IN_VSOCK=$(helper_path vsock_device) \\
		KATA_STAND_IN_TROUBLE=\$(cat "$1/trouble-\${PWD##*/}" "$1/trouble" 2>/dev/null) \\
			exec /usr/bin/python3 "$e2e_dir/../fakes/cloud-hypervisor" "\$@"
	END
	chmod +x "$1/cloud-hypervisor"
	printf '%s\n' "$1/cloud-hypervisor"
}

# engine_runtime DIR: what an engine is to call, for it gives its runtime no environment of ours; with KATA_DRIVER
# something that brings its configuration
engine_runtime()
{
	local runtime=${KATA_RUNTIME:-/usr/local/bin/kata-runtime}
	if [ "${KATA_DRIVER:-qemu}" != qemu ]; then
		(KATA_RUNTIME=$runtime use_driver "$1")
		printf '#!/bin/sh\nKATA_CONFIG=%s exec %s "$@"\n' "$1/kata.conf" "$runtime" >"$1/kata-runtime-driver"
		chmod +x "$1/kata-runtime-driver"
		runtime=$1/kata-runtime-driver
	fi
	printf '%s\n' "$runtime"
}

# vmm_name: what the command line of the VMM's process has
vmm_name()
{
	case ${KATA_DRIVER:-qemu} in
	qemu) echo qemu-system ;;
	*) basename "${KATA_VMM:-$KATA_DRIVER}" ;;
	esac
}

# helper_path KEY: what the installed runtime has for it
helper_path()
{
	KATA_CONFIG='' "$KATA_RUNTIME" config | sed -n "s/^$1 = //p"
}

e2e_teardown()
{
	local id left
	[ -n "${T:-}" ] || return 0
	cd /
	if [ "${KATA_KEEP:-}" = 1 ]; then
		echo "# kept: $T" >&3
		return 0
	fi
	# shellcheck disable=SC2046 # pids
	[ -z "$(jobs -p)" ] || kill $(jobs -p) 2>/dev/null || true
	for id in $(cd "$ROOT" 2>/dev/null && echo *); do
		[ ! -e "$ROOT/$id" ] || kata delete --force "$id" >/dev/null 2>&1 || true
	done
	left=$(leaks)
	if [ -n "$left" ]; then
		sleep 2
		left=$(leaks)
	fi
	clean_up
	[ -z "$left" ] || fail "left behind:"$'\n'"$left"
}

# Whatever is left, by force: one failed test must not fail the next.
clean_up()
{
	local p m
	for p in $(our_processes | awk '{ print $2 }'); do
		kill -9 "$p" 2>/dev/null || true
	done
	for m in $(awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | sort -r); do
		umount -l "$m" 2>/dev/null || true
	done
	rm -rf "$T"
}

fail()
{
	printf '%s\n' "$*" >&2
	return 1
}

# --- leaks ------------------------------------------------------------------------------------

link_names()
{
	ip -o link | awk -F': ' '{ sub(/@.*/, "", $2); print $2 }' | grep -E '^(tap|kata)' | sort
}

# "process PID COMMAND" of each that has to do with $T
our_processes()
{
	timeout 20 python3 "$e2e_dir/processes.py" "$T"
}

leaks()
{
	our_processes
	awk -v t="$T/" 'index($5, t) == 1 { print "mount " $5 }' /proc/self/mountinfo
	find /sys/fs/cgroup -depth -type d -name "*$c*" 2>/dev/null | sed 's/^/cgroup /'
	comm -13 <(printf '%s\n' "$links_before") <(link_names) | grep . | sed 's/^/link /'
	find /run/netns -maxdepth 1 -name "*$c*" 2>/dev/null | sed 's/^/netns /'
	# @host-facts and @seccomp-*, what the sandbox found out once, belong to no container
	[ ! -d "$ROOT" ] || find "$ROOT" -mindepth 1 -maxdepth 2 ! -name @host-facts ! -name '@seccomp-*' 2>/dev/null |
		sed 's/^/file /'
	find /run/kata /tmp /dev/shm -maxdepth 1 -name "*$c*" 2>/dev/null | sed 's/^/file /'
}

# --- calls ------------------------------------------------------------------------------------

# kata ARGUMENT...: the runtime with this test's root. bats' descriptor 3 stays here.
kata()
{
	timeout -k 5 "$E2E_TIMEOUT" "$KATA_RUNTIME" --root "$ROOT" "$@" 3>&-
}

# create ID BUNDLE [OPTION...]: the container's stdio are $T/ID.in (if there), .out and .err,
# because a pipe of ours would be held open until the container ends
create()
{
	local id=$1 bundle=$2 in=/dev/null
	shift 2
	[ ! -e "$T/$id.in" ] || in=$T/$id.in
	kata create --bundle "$T/$bundle" --pid-file "$T/$id.pid" "$@" "$id" \
		<"$in" >"$T/$id.out" 2>"$T/$id.err" || {
		local status=$?
		sed 's/^/create: /' "$T/$id.err" >&2
		return $status
	}
}

# start_container ID BUNDLE [OPTION...]: created and started
start_container()
{
	create "$@"
	kata start "$1"
}

status_of()
{
	kata state "$1" | jq -r .status
}

# record ID FIELD: of the runtime's own record, for tests that break things on purpose
record()
{
	jq -r "$2" "$ROOT/$1/record.json"
}

# --- waiting ----------------------------------------------------------------------------------

# eventually SECONDS COMMAND...: until it succeeds
eventually()
{
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || { echo "not within the time: $*" >&2; return 1; }
		sleep 0.1
	done
}

is_status()
{
	[ "$(status_of "$1" 2>/dev/null)" = "$2" ]
}

wait_stopped()
{
	eventually "$E2E_TIMEOUT" is_status "$1" stopped
}

# wait_output ID TEXT: until the container's stdout has it
wait_output()
{
	eventually "$E2E_TIMEOUT" grep -qF -- "$2" "$T/$1.out" || {
		cat "$T/$1.out" "$T/$1.err" >&2
		return 1
	}
}

gone()
{
	! kill -0 "$1" 2>/dev/null || [ "$(awk '/^State:/ { print $2 }' "/proc/$1/status" 2>/dev/null)" = Z ]
}

# --- a parent that adopts, as engines are -------------------------------------------------------

# adopt COMMAND...: run it below a subreaper that stays; statuses of what it adopts are kept
adopt()
{
	rm -f "$T/adopt/status"
	mkdir -p "$T/adopt"
	timeout -k 5 600 python3 "$e2e_dir/adopt.py" "$T/adopt" "$@" <&0 3>&- &
	eventually "$E2E_TIMEOUT" test -s "$T/adopt/status"
	return "$(cat "$T/adopt/status")"
}

# exit_of PID: how an adopted process ended, as shells have it
exit_of()
{
	eventually "$E2E_TIMEOUT" test -s "$T/adopt/exit.$1"
	cat "$T/adopt/exit.$1"
}

# --- assertions ---------------------------------------------------------------------------------

equal()
{
	[ "$1" = "$2" ] || fail "expected: $2"$'\n'"got:      $1"
}

has()
{
	case $1 in
	*"$2"*) ;;
	*) fail "expected: ...$2..."$'\n'"got:      $1" ;;
	esac
}

has_not()
{
	case $1 in
	*"$2"*) fail "unexpected: $2"$'\n'"in:         $1" ;;
	esac
}

# one_error FILE TEXT: exactly one line, an error that says so
one_error()
{
	equal "$(wc -l <"$1")" 1
	has "$(cat "$1")" 'level=error'
	# the log's own quoting of quotes is not what is looked at
	has "$(sed 's/\\"/"/g' "$1")" "$2"
}

# --- root file systems and bundles --------------------------------------------------------------

# once PATH COMMAND...: make it if it is not there; side by side runs wait for each other
once()
{
	local path=$1
	shift
	[ ! -e "$path" ] || return 0
	mkdir -p "${path%/*}"
	(
		flock -w 1200 9
		[ -e "$path" ] || "$@" "$path"
	) 9>"$path.lock"
}

make_busybox()
{
	local d=$1.new
	rm -rf "$d"
	mkdir -p "$d"/{bin,dev,etc,home/user,proc,root,sys,tmp,usr/bin,var}
	cp /bin/busybox "$d/bin/busybox"
	timeout 30 chroot "$d" /bin/busybox --install -s /bin
	ln -s ../bin/env "$d/usr/bin/env"
	printf '%s\n' root:x:0:0:root:/root:/bin/sh user:x:1000:1000:user:/home/user:/bin/sh \
		>"$d/etc/passwd"
	printf '%s\n' root:x:0: user:x:1000: extra:x:2000: >"$d/etc/group"
	chown 1000:1000 "$d/home/user"
	chmod 1777 "$d/tmp"
	mv "$d" "$1"
}

# rootfs_busybox: path of a root file system that is not to be changed
rootfs_busybox()
{
	local path
	path=$(e2e_cache)/busybox
	once "$path" make_busybox
	printf '%s\n' "$path"
}

make_debian()
{
	# Without bats' descriptors: mmdebstrap's own would get two digits, which dash cannot name
	timeout 1200 mmdebstrap --quiet --variant=apt --include=python3-minimal,perl-base \
		"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$1.new.tar" >&2 </dev/null \
		3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- || return 1
	mv "$1.new.tar" "$1"
}

# rootfs_debian_tar: path of a tar file
rootfs_debian_tar()
{
	local path
	path=$(e2e_cache)/debian.tar
	once "$path" make_debian
	printf '%s\n' "$path"
}

unpack_debian()
{
	rm -rf "$1.new"
	mkdir -p "$1.new"
	tar -x -p -C "$1.new" -f "$(rootfs_debian_tar)" || return 1
	mv "$1.new" "$1"
}

# rootfs_debian: the same unpacked, not to be changed
rootfs_debian()
{
	local path
	path=$(e2e_cache)/debian
	rootfs_debian_tar >/dev/null || return 1
	once "$path" unpack_debian
	printf '%s\n' "$path"
}

make_notify_say()
{
	cc -O1 -static -o "$1.new" "$e2e_dir/notify_say.c" && mv "$1.new" "$1"
}

# notify_say: path of a static program that speaks to NOTIFY_SOCKET
notify_say()
{
	local path
	path=$(e2e_cache)/notify_say
	[ "$path" -nt "$e2e_dir/notify_say.c" ] || rm -f "$path"
	once "$path" make_notify_say || return 1
	printf '%s\n' "$path"
}

# bundle NAME [FILTER...]: $T/NAME with a busybox root and config.json, changed by jq filters
bundle()
{
	local dir=$T/$1
	shift
	mkdir -p "$dir"
	cp -a "$(rootfs_busybox)" "$dir/rootfs"
	cp "$e2e_dir/config.json" "$dir/config.json"
	change "$dir" "$@"
}

# change DIR FILTER...: of DIR/config.json
change()
{
	local dir=$1 f
	shift
	for f in "$@"; do
		jq "$f" "$dir/config.json" >"$dir/config.json.new"
		mv "$dir/config.json.new" "$dir/config.json"
	done
}

# sh_bundle NAME SCRIPT [FILTER...]: the same, running a shell script
sh_bundle()
{
	local name=$1 script=$2
	shift 2
	bundle "$name" "$@"
	jq --arg s "$script" '.process.args = ["sh", "-c", $s]' "$T/$name/config.json" \
		>"$T/$name/config.json.new"
	mv "$T/$name/config.json.new" "$T/$name/config.json"
}

# in_container SCRIPT [FILTER...]: its output (stdout and stderr) and exit status
in_container()
{
	sh_bundle b "$@"
	kata run --bundle "$T/b" "$c" </dev/null 2>&1
}

# conf SECTION KEY=VALUE...: a configuration of the test's own, given to every call from now on
conf()
{
	local kv
	[ -n "${KATA_CONFIG:-}" ] && [ "$KATA_CONFIG" = "$T/kata.conf" ] || {
		: >"$T/kata.conf"
		export KATA_CONFIG=$T/kata.conf
	}
	printf '[%s]\n' "$1" >>"$T/kata.conf"
	shift
	for kv in "$@"; do
		printf '%s\n' "$kv" >>"$T/kata.conf"
	done
}
