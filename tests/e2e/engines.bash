# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# engines: which engine a test file drives, where a current one comes from, and a dockerd of
# the test's own.
#
# A file X.bats tests the engine that this Debian has; a link X-sid.bats to it tests the
# current one: packages of Debian's development suite, unpacked below the cache and run from
# there with a PATH that begins with them. What of them does not run here (a program that
# needs a newer glibc) is taken away again, so that the machine's own stands in.
#
# A dockerd has its own socket, data, exec root, pid file and cgroup parent below one
# directory $D, no bridge and no firewall rules, or those of a network namespace: one that may run on the machine is not touched.
# When a test is over, nothing that the daemon did not have at its beginning may be left.
#
# Environment, besides helpers.bash's:
#   KATA_ENGINE_RUNTIME  kata (default) or runc: to see that a test is right, run it with runc
#   KATA_ENGINE_REFRESH  1: look for newer packages on the mirror

: "${KATA_ENGINE_RUNTIME:=kata}"

# engine_suite: "debian" or "sid", by the name of the test file
engine_suite()
{
	case $BATS_TEST_FILENAME in
	*-sid.bats) echo sid ;;
	*) echo debian ;;
	esac
}

# --- packages of sid --------------------------------------------------------------------------

# engine_unpacked NAME PACKAGE...: directory with the packages of sid, unpacked; the
# directory's own name is the first one's version and a sum of all versions
engine_unpacked()
{
	local cache
	cache=${KATA_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kata}
	local at=$cache/engines/$1
	if [ "${KATA_ENGINE_REFRESH:-}" = 1 ] || ! [ -d "$at/current/" ]; then
		(engine_fetch "$at" "${@:2}") >&2 3>&- || return 1
	fi
	readlink -f "$at/current"
}

# In a shell of its own: common.sh's die() ends it, and its lock goes with it.
engine_fetch()
{
	local at=$1 me=engines suite versions key
	shift
	suite=sid-$(dpkg --print-architecture)
	# shellcheck source=agent/image/common.sh
	. "${KATA_SRCDIR:-$e2e_dir/../..}/agent/image/common.sh"
	cache_lock
	[ "${KATA_ENGINE_REFRESH:-}" = 1 ] || ! [ -d "$at/current/" ] || return 0
	cache_scratch
	engine_lists "$suite"
	mapfile -t versions < <(apt_run "$suite" apt-cache show --no-all-versions "$@" |
		awk '/^Package: /{ p = $2 } /^Version: /{ print p "=" $2 }')
	[ ${#versions[@]} = $# ] || die "sid lacks one of $*" "it has: ${versions[*]}"
	key=$(printf '%s\n' "${versions[@]}" | sed -n "s/^$1=//p" | tr : _)
	key=$key-$(printf '%s\n' "${versions[@]}" | sort | cksum | cut -d ' ' -f 1)
	if ! [ -d "$at/$key" ]; then
		say "downloading ${versions[*]}"
		(cd "$cache/tmp" && apt_run "$suite" timeout 900 apt-get -q \
			-o APT::Sandbox::User=root download "${versions[@]}" >&2) ||
			die "cannot download" "is the mirror reachable?"
		mkdir -p "$cache/tmp/root" "$at"
		find "$cache/tmp" -name '*.deb' -exec dpkg-deb -x {} "$cache/tmp/root" \;
		printf '%s\n' "${versions[@]}" >"$cache/tmp/root/versions"
		mv "$cache/tmp/root" "$at/$key"
	fi
	ln -sfnT "$key" "$at/current"
}

# The lists are read again each time: what an older list names, the mirror may have dropped.
engine_lists()
{
	local uri
	for uri in $(apt_sources | cut -d ' ' -f 1 | grep -v security | awk '!seen[$0]++'); do
		echo "$uri sid main" | apt_private "$1" "${1#sid-}"
		! apt_update "$1" || return 0
	done
	die "cannot read the package lists of sid" "$(apt_why)"
}

# --- a dockerd of our own ---------------------------------------------------------------------

# docker_setup [DOCKERD-OPTION...]: for setup_file: $D, the clients' environment, the daemon
# and the image e2e-busybox
docker_setup()
{
	D=$(mktemp -d /tmp/kata-docker.XXXXXX)
	export D DOCKER_HOST=unix://$D/docker.sock DOCKER_CONFIG=$D/config
	export DOCKERD_OPTIONS="$*"
	case $(engine_suite) in
	sid) docker_of_sid || return 1 ;;
	*) PATH=/usr/bin:/usr/sbin:/bin:/sbin:$PATH ;; # Debian's, whatever else is there
	esac
	export PATH
	mkdir "$D/config"
	echo "{}" >"$D/daemon.json"
	docker_start || return 1
	tar -c -C "$(rootfs_busybox)" . | timeout 120 docker import - e2e-busybox >/dev/null || return 1
	docker_has >"$D/had"
}

docker_of_sid()
{
	local root
	root=$(engine_unpacked docker-sid docker.io docker-cli containerd runc tini-static \
		docker-compose) || return 1
	"$root/usr/sbin/runc" --version >/dev/null 2>&1 || rm -f "$root/usr/sbin/runc" "$root/usr/bin/runc"
	PATH=$root/usr/bin:$root/usr/sbin:$PATH
}

# docker_start: the daemon answers when it returns. $DOCKER_NETNS: a named network namespace that is
# its host, where it has its bridge and firewall rules
docker_start()
{
	local network=(--bridge none --iptables=false --ip6tables=false) host=()
	if [ -n "${DOCKER_NETNS:-}" ]; then
		network=(--bip 10.201.0.1/24 --ipv6 --fixed-cidr-v6 fd07:201::/64 --ip6tables --experimental)
		host=(nsenter "--net=/run/netns/$DOCKER_NETNS")
	fi
	# No job of this shell's, and nothing of bats' open: it outlives the test that starts it
	# shellcheck disable=SC2086 # options are words
	setsid -f "${host[@]}" dockerd --host "$DOCKER_HOST" --data-root "$D/data" --exec-root "$D/exec" \
		--pidfile "$D/docker.pid" --config-file "$D/daemon.json" \
		"${network[@]}" --cgroup-parent "/kata-e2e-${D##*.}" \
		--exec-opt native.cgroupdriver=cgroupfs \
		--add-runtime "kata=$(engine_runtime "$D")" \
		$DOCKERD_OPTIONS </dev/null >>"$D/log" 2>&1 3>&- 4>&- 5>&- 6>&-
	eventually 60 docker_answers || {
		tail -n 30 "$D/log" >&2
		return 1
	}
}

docker_answers()
{
	timeout 10 docker version >/dev/null 2>&1
}

# docker_pids: dockerd and its containerd
docker_pids()
{
	pgrep -f "^[^ ]*dockerd --host $DOCKER_HOST " || true
	pgrep -f "^[^ ]*containerd --config $D/exec/containerd/containerd.toml" || true
}

# docker_kill9: dockerd and its containerd at once, as a machine that runs out of memory does
docker_kill9()
{
	local pids p
	pids=$(docker_pids)
	# shellcheck disable=SC2086 # pids
	kill -9 $pids
	for p in $pids; do
		eventually 10 gone "$p"
	done
	# On a machine whose first process reaps nobody, they look alive to the next daemon
	rm -f "$D/docker.pid" "$D/exec/containerd/containerd.pid"
}

# For teardown_file: whatever the tests have done to it, nothing stays
docker_teardown()
{
	local p
	[ -n "${D:-}" ] || return 0
	p=$(docker_pids)
	# shellcheck disable=SC2086 # pids
	[ -z "$p" ] || kill $p
	for p in $p; do
		eventually 30 gone "$p" || kill -9 "$p"
	done
	for p in $(timeout 20 python3 "$e2e_dir/processes.py" "$D" | awk '{ print $2 }'); do
		kill -9 "$p" 2>/dev/null || true
	done
	awk -v d="$D/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		xargs -r umount -l
	find /sys/fs/cgroup -depth -type d -path "*/kata-e2e-${D##*.}*" -exec rmdir {} + 2>/dev/null || true
	if [ "${KATA_KEEP:-}" = 1 ]; then
		echo "# kept: $D" >&3
	else
		rm -rf "$D"
	fi
}

# What the daemon holds on the machine: processes, mounts, cgroups, files of containers
docker_has()
{
	local own
	own=$(docker_pids | tr '\n' '|')
	timeout 20 python3 "$e2e_dir/processes.py" "$D" | grep -vE "^process (${own}x) " || true
	awk -v d="$D/" 'index($5, d) == 1 { print "mount " $5 }' /proc/self/mountinfo
	# runc before 1.2 leaves the parent that it made
	find /sys/fs/cgroup -type d -path "*/kata-e2e-${D##*.}*" ! -path "*/kata-e2e-${D##*.}" \
		-printf 'cgroup %p\n' 2>/dev/null || true
	# @host-facts and @seccomp-*, what the sandbox found out once, belong to no container
	# Files in exec/netns that nothing is mounted on are swept by the daemon once a minute
	# containerd renames a task's directory to .ID before it removes it: killed in between, it leaves that
	find "$D/exec/runtime-runc/moby" "$D/data/containers" \
		"$D/exec/containerd/daemon/io.containerd.runtime.v2.task/moby" -mindepth 1 -maxdepth 2 \
		! -name @host-facts ! -name '@seccomp-*' ! -path '*/moby/.*' -printf 'file %p\n' 2>/dev/null || true
}

docker_leaks()
{
	docker_has | sort | comm -13 <(sort "$D/had") -
}

docker_no_leaks()
{
	[ -z "$(docker_leaks)" ]
}

# What --rm is about to remove, "is already in progress"
docker_removed()
{
	local ids
	ids=$(timeout 20 docker ps -aq) || return 1
	# shellcheck disable=SC2086 # ids
	[ -z "$ids" ] || timeout 120 docker rm -f -v $ids >"$T/rm" 2>&1
}

# docker_clean: for teardown: removes what the test made, then looks at what is left
docker_clean()
{
	local left=''
	eventually "$E2E_TIMEOUT" docker_removed || left=$(cat "$T/rm")$'\n'
	timeout 20 docker volume prune -f >/dev/null 2>&1 || true
	eventually 10 docker_no_leaks 2>/dev/null || left+=$(docker_leaks)
	[ -z "$left" ] || docker_force_clean
	e2e_teardown
	[ -z "$left" ] || fail "left behind:"$'\n'"$left"
}

# One failed test must not fail the next: what is left now does not count again
docker_force_clean()
{
	local p
	for p in $(docker_leaks | awk '$1 == "process" { print $2 }'); do
		kill -9 "$p" 2>/dev/null || true
	done
	docker_leaks | awk '$1 == "mount" { print $2 }' | sort -r |
		xargs -r umount -l 2>/dev/null || true
	docker_answers || docker_start || true
	# shellcheck disable=SC2046 # ids
	timeout 60 docker rm -f -v $(timeout 10 docker ps -aq) >/dev/null 2>&1 || true
	docker_has >"$D/had"
}

# --- calls --------------------------------------------------------------------------------------

# d ARGUMENT...: docker, bounded
d()
{
	timeout -k 5 "$E2E_TIMEOUT" docker "$@" 3>&-
}

# drun OPTION... IMAGE COMMAND...: in the foreground, removed at its end; $net is its network
drun()
{
	d run --rm --runtime="$KATA_ENGINE_RUNTIME" --network "${net:-none}" "$@"
}

# dup OPTION... IMAGE COMMAND...: in the background, stays; prints the id
dup()
{
	d run -d --runtime="$KATA_ENGINE_RUNTIME" --network "${net:-none}" "$@"
}

# box [OPTION...]: container $c, which sleeps
box()
{
	dup --name "$c" "$@" e2e-busybox sleep 1000 >/dev/null
}

# inside COMMAND...: in container $c
inside()
{
	d exec "$c" "$@"
}

# of CONTAINER FIELD: what inspect says, such as State.Status
of()
{
	timeout 20 docker inspect -f "{{.$2}}" "$1"
}

# is CONTAINER FIELD VALUE
is()
{
	[ "$(of "$1" "$2" 2>/dev/null)" = "$3" ]
}

logged()
{
	timeout 20 docker logs "$1" 2>&1 | grep -q -e "$2"
}

# dialogue ROWS COLUMNS STEP... -- COMMAND...: see dialogue.py
dialogue()
{
	timeout -k 5 "$E2E_TIMEOUT" python3 "$e2e_dir/dialogue.py" "$@" 3>&-
}
