#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# same: one bundle under runc and under us. What a program sees of how it was started
# (same.probe) is the same line by line, but for what same.differences lists, with reasons.

load helpers

setup()
{
	e2e_setup
	command -v runc >/dev/null || fail "no runc; install the package runc"
}

teardown()
{
	timeout 20 runc --root "$T/runc.root" delete --force "$c" >/dev/null 2>&1 || true
	rm -rf "$T/runc.root"
	e2e_teardown
}

# runtime runc|kata COMMAND...
runtime()
{
	local which=$1
	shift
	if [ "$which" = runc ]; then
		timeout -k 5 "$E2E_TIMEOUT" runc --root "$T/runc.root" "$@" 3>&-
	else
		kata "$@"
	fi
}

# piped RUNTIME: stdio are pipes in both cases, with nothing to read
piped()
{
	: | runtime "$1" run --bundle "$T/b" "$c" 2>"$T/$1.err" | cat >"$T/$1"
}

# on_terminal RUNTIME
on_terminal()
{
	local command=("$KATA_RUNTIME" --root "$ROOT")
	[ "$1" = kata ] || command=(runc --root "$T/runc.root")
	command+=(--log "$T/$1.err")
	timeout -k 5 "$E2E_TIMEOUT" python3 "$e2e_dir/on_terminal.py" 33 77 "" "${command[@]}" \
		run --bundle "$T/b" "$c" 3>&- | tr -d '\r' | grep -vE '^$|^settings restored$' >"$T/$1"
}

# execed RUNTIME: the probe is a further process of the container, with what $exec_options say
execed()
{
	local status=0
	change "$T/b" '.process.args = ["sleep", "1000"]'
	runtime "$1" run --detach --bundle "$T/b" "$c" </dev/null >"$T/$1.err" 2>&1 || return 1
	: | runtime "$1" exec "${exec_options[@]}" "$c" sh -c '. /probe' 2>"$T/$1.err" | cat >"$T/$1" || status=1
	runtime "$1" delete --force "$c" >/dev/null 2>&1 || status=1
	return $status
}

# same CONFIG HOW: of bundle $T/b
same()
{
	local config=$1 how=$2 r
	cp "$e2e_dir/same.probe" "$T/b/rootfs/probe"
	change "$T/b" '.process.args = ["sh", "-c", ". /probe"]' \
		'.linux.cgroupsPath = "/'"$c"'"'
	for r in runc kata; do
		"$how" "$r" || {
			cat "$T/$r.err" "$T/$r" >&2
			fail "$config: $r failed"
		}
		[ ! -s "$T/$r.err" ] || fail "$config: $r said: $(cat "$T/$r.err")"
	done
	# as it is left: for whoever looks into a failure
	[ -z "${KATA_SAME_DIR:-}" ] || cp "$T/runc" "$KATA_SAME_DIR/$config.runc"
	[ -z "${KATA_SAME_DIR:-}" ] || cp "$T/kata" "$KATA_SAME_DIR/$config.kata"
	python3 "$e2e_dir/same.py" "$e2e_dir/same.differences" "$config" "$T/runc" "$T/kata"
}

# template: what `runc spec` writes
template()
{
	bundle b
	rm "$T/b/config.json"
	runc spec --bundle "$T/b"
	change "$T/b" '.process.terminal = false' "$@"
}

@test "runc's template" {
	template
	same template piped
}

@test "a terminal" {
	template '.process.terminal = true' '.process.consoleSize = {"height": 33, "width": 77}' \
		'.process.env += ["A=1", "EMPTY=", "LAST=a b"]'
	same terminal on_terminal
}

@test "a user with further groups, limits, umask, a directory to be made" {
	template '.process.user = {"uid": 1000, "gid": 1000, "umask": 63, "additionalGids": [2000, 7]}' \
		'.process.cwd = "/made/for/me" | .root.readonly = false | .process.oomScoreAdj = 300' \
		'.process.env = ["PATH=/bin", "A=2", "HOME="]' \
		'.process.rlimits = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
			{"type": "RLIMIT_NPROC", "soft": 333, "hard": 444},
			{"type": "RLIMIT_STACK", "soft": 1048576, "hard": 2097152}]' \
		'.process.capabilities |= (.inheritable = ["CAP_KILL"] | .ambient = ["CAP_KILL"])' \
		'.hostname = "box"'
	same user piped
}

# all that this machine has: runc cannot give more
all_capabilities()
{
	local bits names=() i=0 all
	bits=$((16#$(awk '/^CapBnd/ { print $2 }' /proc/self/status)))
	mapfile -t all < <("$KATA_RUNTIME" features | jq -r '.linux.capabilities[]')
	for ((i = 0; i < ${#all[@]}; i++)); do
		((bits >> i & 1)) && names+=("\"${all[i]}\"")
	done
	(IFS=,; echo "[${names[*]}]")
}

@test "all capabilities, tmpfs, binds, masks; writable" {
	local all
	all=$(all_capabilities)
	mkdir -p "$T/bind/sub"
	template '.root.readonly = false | .process.noNewPrivileges = false' \
		'.process.capabilities = {"bounding": '"$all"', "effective": '"$all"', "permitted": '"$all"',
			"inheritable": '"$all"', "ambient": '"$all"'}' \
		'.mounts += [
			{"destination": "/run", "type": "tmpfs", "source": "tmpfs",
			 "options": ["nosuid", "nodev", "noexec", "mode=751", "size=1m", "nr_inodes=100", "uid=5", "gid=6"]},
			{"destination": "/run/ro", "type": "tmpfs", "source": "x", "options": ["ro", "strictatime"]},
			{"destination": "/mnt/rw", "type": "bind", "source": "'"$T/bind"'", "options": ["rbind", "nosuid", "noexec"]},
			{"destination": "/mnt/ro", "type": "bind", "source": "'"$T/bind"'", "options": ["bind", "ro", "nodev", "noatime", "rslave"]}]' \
		'.linux.maskedPaths += ["/mnt/rw/sub", "/etc/passwd"] | .linux.readonlyPaths += ["/home"]' \
		'.linux.rootfsPropagation = "slave"'
	same caps piped
}

# the document as docker wrote it, with this machine's paths in it
@test "docker's document" {
	template
	jq --arg t "$T" 'del(.hooks, .process.apparmorProfile, .linux.seccomp) | .root = {"path": "rootfs"} |
		(.mounts[] | select(.type == "bind")).source |= "\($t)/\(split("/") | last)" |
		.linux.namespaces |= map(del(.path))' \
		"$e2e_dir/../data/guest_spec/docker.json" >"$T/b/config.json"
	touch "$T/resolv.conf" "$T/hostname" "$T/hosts"
	same docker piped
}

# an engine's profile, without what newer runcs than this one's need
profile()
{
	jq .linux.seccomp "$e2e_dir/../data/oci/valid/docker-20.10-run.json"
}

# ids that no file of the image has names for
numbers='.process.user = {"uid": 12345, "gid": 54321, "umask": 23, "additionalGids": [2000, 61234]}'

# what a further process inherits, as runc has it
inherited()
{
	template "$numbers" ".linux.seccomp = $(profile)" \
		'.process.cwd = "/home" | .root.readonly = false | .process.oomScoreAdj = 300' \
		'.process.noNewPrivileges = false | .process.env = ["PATH=/bin", "B=of the container", "A=2"]' \
		'.process.rlimits = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
			{"type": "RLIMIT_NOFILE", "soft": 333, "hard": 444}, {"type": "RLIMIT_NPROC", "soft": 333, "hard": 444}]' \
		'.process.capabilities |= (.inheritable = ["CAP_KILL"] | .ambient = ["CAP_KILL"])'
}

@test "ids without names, an engine's seccomp profile" {
	inherited
	same numbers piped
}

@test "exec: what a further process inherits" {
	inherited
	exec_options=()
	same exec execed
}

@test "exec: with options" {
	inherited
	exec_options=(--user 1000:7 --additional-gids 9 --additional-gids 65000 --cwd /tmp --env A=3 --env C=4
		--cap CAP_NET_RAW --no-new-privs)
	same options execed
}
