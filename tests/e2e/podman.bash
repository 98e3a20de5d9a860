# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# podman: a podman of the tests' own, of this release or of Debian's development suite, and
# the watch over what its containers leave behind.
#
# One per file of tests, below $P: storage, state, the runtime's state root and a
# containers.conf, so that the machine's podman is not touched. `pm ARGUMENT...` calls it;
# $P/podman is the same as a program, for those who need one.
#
# The one of sid runs with sid's libraries, which are below the cache: its programs are told by
# patchelf where their loader and libraries are. LD_LIBRARY_PATH would be handed down to the
# runtime, which is linked to the machine's; and podman runs /proc/self/exe again, which must
# be podman and not the loader.
#
# Environment, besides helpers':
#   PODMAN_RUNTIME  another runtime (runc), to tell a test's mistake from the runtime's
#   PODMAN_NETNS    name of a network namespace that is podman's host: it has netavark there; and
#                   a mount namespace with a /run/containers of its own, for netavark's and aardvark's
#                   files there are those of the machine, whatever podman is told

bats_require_minimum_version 1.5.0

podman_sid_packages='podman conmon netavark aardvark-dns catatonit'

# --- podman of sid ----------------------------------------------------------------------------

# fetch_podman_sid DIR: the packages and all they need, unpacked
fetch_podman_sid()
{
	local dir=$1 new=$1.new me=podman.bash cache arch deb p lib
	cache=${KATA_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kata}
	# shellcheck source=agent/image/common.sh
	. "$e2e_dir/../../agent/image/common.sh"
	arch=$(dpkg --print-architecture)
	rm -rf "$new"
	mkdir -p "$new"
	sid_lists "$arch" || return 1
	# shellcheck disable=SC2086 # a list of words
	apt_run "sid-podman-$arch" timeout 600 apt-get -q -y --no-install-recommends --download-only \
		install $podman_sid_packages >&2 </dev/null || return 1
	for deb in "$cache/apt/sid-podman-$arch"/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$new" || return 1
	done
	lib=$(cd "$new" && echo usr/lib/*-linux-gnu*)
	for p in usr/bin/podman usr/bin/conmon usr/lib/podman/{netavark,aardvark-dns}; do
		patchelf --set-interpreter "$(sid_loader "$new" "$dir" "$lib")" --force-rpath \
			--set-rpath "$dir/$lib" "$new/$p" || return 1
	done
	rm -f "$cache/apt/sid-podman-$arch"/cache/archives/*.deb
	mv "$new" "$dir"
}

# the mirror that the machine uses for its own
sid_lists()
{
	local uri
	for uri in $(apt_sources | cut -d ' ' -f 1 | grep -v security | awk '!seen[$0]++'); do
		echo "$uri sid main" | apt_private "sid-podman-$1" "$1"
		! apt_update "sid-podman-$1" || return 0
	done
	fail "no lists of sid: $(apt_why)"
}

# sid_loader UNPACKED FINAL LIB: where the loader will be
sid_loader()
{
	local found
	found=$(cd "$1" && echo "$3"/ld-linux*.so.*)
	echo "$2/$found"
}

# podman_sid: directory of the unpacked packages; others have another
podman_sid()
{
	local path=${KATA_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kata}/engines/podman-sid
	path+=-$(cksum <<<"$podman_sid_packages" | cut -d ' ' -f 1)
	once "$path" fetch_podman_sid >&2 || return 1
	echo "$path"
}

# --- one of the tests' own ----------------------------------------------------------------------

# podman_host: the process that holds the mount namespace, until it is killed
podman_host()
{
	# shellcheck disable=SC2016 # of that shell
	setsid -f unshare -m sh -c 'mkdir -p /run/containers && mount -t tmpfs none /run/containers &&
		echo $$ >"$1" && exec sleep infinity >/dev/null 2>&1' sh "$P/host" </dev/null 3>&- 4>&- 5>&- 6>&-
	eventually 10 test -s "$P/host"
	podman_host=$(cat "$P/host")
	export podman_host
}

# podman_setup_file system|sid
podman_setup_file()
{
	local sid='' program enter=''
	P=$(mktemp -d /tmp/kata-podman.XXXXXX)
	export P
	if [ -n "${PODMAN_NETNS:-}" ]; then
		podman_host
		enter="nsenter --mount=/proc/$podman_host/ns/mnt --net=/run/netns/$PODMAN_NETNS"
	fi
	program=$(command -v podman)
	if [ "$1" = sid ]; then
		sid=$(podman_sid)
		program=$sid/usr/bin/podman
	fi
	containers_conf "$sid" >"$P/containers.conf"
	# podman gives its runtime no environment and, before 5, not always its flags
	printf '#!/bin/sh\nexec %q --root %q "$@"\n' \
		"$(engine_runtime "$P")" "$P/kata" >"$P/kata-runtime"
	cat >"$P/podman" <<-END
		#!/bin/sh
		export CONTAINERS_CONF=\${CONTAINERS_CONF:-$P/containers.conf}
		export PODMAN_IGNORE_CGROUPSV1_WARNING=1
		exec $enter $program --root $P/root --runroot $P/run --tmpdir $P/tmp \
			--runtime \${PODMAN_RUNTIME:-kata} "\$@"
	END
	chmod +x "$P/podman" "$P/kata-runtime"
	tar -c -C "$(rootfs_busybox)" . |
		pm import --change ENV=PATH=/usr/bin:/bin - localhost/e2e:1 >/dev/null
	mounts_below "$P" >"$P/mounts"
}

# The limits are those of a machine without CAP_SYS_RESOURCE, on which runc fails to raise them.
containers_conf()
{
	local prefix=$1
	cat <<-END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		init_path = "$prefix/usr/bin/catatonit"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		conmon_path = ["$prefix/usr/bin/conmon"]
		helper_binaries_dir = ["$prefix/usr/lib/podman", "$prefix/usr/libexec/podman", "$prefix/usr/bin"]
	END
	[ -z "${PODMAN_NETNS:-}" ] || cat <<-END
		[network]
		network_backend = "netavark"
		network_config_dir = "$P/networks"
		default_subnet = "10.205.0.0/24"
	END
	[ "${2:-}" = no-runtimes ] || printf '[engine.runtimes]\nkata = ["%s"]\n' "$P/kata-runtime"
}

podman_teardown_file()
{
	local p m
	[ -n "${P:-}" ] || return 0
	for p in $(timeout 20 python3 "$e2e_dir/processes.py" "$P" | awk '{ print $2 }') ${podman_host:-}; do
		kill -9 "$p" 2>/dev/null || true
		eventually 10 gone "$p"
	done
	podman_host=''
	for m in $(mounts_below "$P" | sort -r); do
		umount -l "$m"
	done
	rm -rf "$P"
}

podman_setup()
{
	e2e_setup
	image=localhost/e2e:1
}

podman_teardown()
{
	local left
	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		# a failed test tells what there was
		printf 'last output:\n%s\n' "${output:-}" >&2
		pm ps -a >&2 || true
	fi
	timeout 120 "$P/podman" pod rm -f -a -t 0 >/dev/null 2>&1 3>&- || true
	timeout 120 "$P/podman" rm -f -a -t 0 >/dev/null 2>&1 3>&- || true
	timeout 60 "$P/podman" volume rm -f -a >/dev/null 2>&1 3>&- || true
	left=$(podman_leaks)
	if [ -n "$left" ]; then
		sleep 3
		left=$(podman_leaks)
	fi
	e2e_teardown
	[ -z "$left" ] || fail "left behind:"$'\n'"$left"
}

mounts_below()
{
	awk -v d="$1/" 'index($5, d) == 1 { print $5 }' "/proc/${podman_host:-self}/mountinfo" | sort
}

# ids container|pod: of all that there have been
podman_ids()
{
	cat "$P"/tmp/events/* | jq -r --arg t "$1" 'select(.Type == $t) | .ID' | sort -u
}

# named container|pod DIR...: what is below them by the id of one
named()
{
	local ids
	ids=$(podman_ids "$1")
	shift
	[ -z "$ids" ] || find "$@" -maxdepth 6 \( -path "$P" -o -path /tmp/kata-podman.\* \) -prune -o \
		-print 2>/dev/null | grep -E '[^/]*[0-9a-f]{64}[^/]*$' | grep -F "$ids" | sort -u
}

podman_leaks()
{
	pm ps -aq | sed 's/^/container /'
	timeout 20 python3 "$e2e_dir/processes.py" "$P"
	mounts_below "$P" | comm -13 "$P/mounts" - | sed 's/^/mount /'
	named container /sys/fs/cgroup /run /tmp /var/tmp /dev/shm | sed 's/^/file /'
	[ ! -d "$P/kata" ] || find "$P/kata" -mindepth 1 ! -name @host-facts ! -name '@seccomp-*' | sed 's/^/file /'
	# on cgroups v1 podman itself leaves the directories of its pods in two hierarchies
	named pod /sys/fs/cgroup | xargs -r rmdir
}

# --- calls ------------------------------------------------------------------------------------

# pm ARGUMENT...: podman. What does not end in time has status 124, though podman takes TERM for
# its container's and has to be killed.
pm()
{
	local status=0 end=$((SECONDS + E2E_TIMEOUT))
	timeout -k 5 "$E2E_TIMEOUT" "$P/podman" "$@" 3>&- || status=$?
	[ $SECONDS -lt $end ] || status=124
	return $status
}

# prun OPTION... COMMAND...: without network, gone afterwards; $image goes where the command begins
prun()
{
	pm run --rm --network none "$@"
}

# box NAME [OPTION...]: runs until it is told to end, and obeys TERM
box()
{
	local name=$1
	shift
	pm run -d --name "$name" --network none "$@" "$image" \
		sh -c 'trap "exit 0" TERM; echo up; while :; do sleep 1 & wait $!; done' >/dev/null
}

# terminal TEXT ARGUMENT...: podman on a terminal of 21 lines and 77 columns, TEXT typed
terminal()
{
	local text=$1
	shift
	timeout -k 5 "$E2E_TIMEOUT" python3 "$e2e_dir/on_terminal.py" 21 77 "$text" "$P/podman" "$@" 3>&-
}

# inspected NAME FIELD
inspected()
{
	timeout 20 "$P/podman" inspect -f "{{$2}}" "$1" 3>&-
}

is_inspected()
{
	[ "$(inspected "$1" "$2" 2>/dev/null)" = "$3" ]
}

# wait_state NAME running|exited|paused|...
wait_state()
{
	eventually "$E2E_TIMEOUT" is_inspected "$1" .State.Status "$2" ||
		fail "$1 is $(inspected "$1" .State.Status)"
}

logged()
{
	grep -q -- "$2" <<<"$(timeout 20 "$P/podman" logs "$1" 2>&1 3>&-)"
}

wait_logged()
{
	eventually "$E2E_TIMEOUT" logged "$1" "$2" || fail "logs: $(pm logs "$1" 2>&1)"
}

exists()
{
	timeout 20 "$P/podman" container exists "$1" 3>&-
}

not_there()
{
	! exists "$1"
}
