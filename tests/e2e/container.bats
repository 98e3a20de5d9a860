#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# container: what the program in the container sees, as config.json says.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

# --- machine and namespaces

@test "it is another kernel" {
	run -0 in_container 'cat /proc/sys/kernel/random/boot_id; uname -n'
	[ "${lines[0]}" != "$(cat /proc/sys/kernel/random/boot_id)" ]
	equal "${lines[1]}" kata-e2e
}

@test "host name and domain name" {
	run -0 in_container 'hostname; cat /proc/sys/kernel/domainname' \
		'.hostname = "box" | .domainname = "example.org"'
	equal "${lines[0]}" box
	equal "${lines[1]}" example.org
}

@test "the program is pid 1 and alone" {
	run -0 in_container 'echo $$; ls -d /proc/[0-9]* | wc -l'
	equal "${lines[0]}" 1
	# the shell, ls and wc
	[ "${lines[1]}" -le 3 ]
}

@test "loopback is up, nothing else is there" {
	run -0 in_container 'ip -o link; ping -c 1 -w 5 127.0.0.1 >/dev/null 2>&1 || echo no ping' \
		'.process.capabilities |= map_values(. + ["CAP_NET_RAW"])'
	equal "${#lines[@]}" 1
	has "${lines[0]}" "lo:"
	has "${lines[0]}" "UP"
}

@test "cgroups are the container's own" {
	run -0 in_container 'cat /proc/self/cgroup; mount | grep cgroup; ls -d /sys/fs/cgroup/*' \
		'.mounts += [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
			"options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}] |
		.linux.namespaces += [{"type": "cgroup"}]'
	has "$output" "/sys/fs/cgroup"
	has_not "$output" "$c"
}

# --- process

@test "arguments arrive as they are" {
	bundle b '.process.args = ["printf", "<%s>", "a b", "", "*", "$HOME", "\"q\"", "ü", "line\nfeed"]'
	equal "$(kata run --bundle "$T/b" "$c")" $'<a b><><*><$HOME><"q"><ü><line\nfeed>'
}

@test "the environment is the spec's, HOME is added" {
	run -0 in_container 'env | grep -vE "^(PWD|SHLVL|_)=" | sort' \
		'.process.env = ["B=2", "A=1 and more", "PATH=/bin:/usr/bin", "EMPTY="]'
	equal "$output" $'A=1 and more\nB=2\nEMPTY=\nHOME=/root\nPATH=/bin:/usr/bin'
}

@test "the program is looked for in the container's PATH" {
	bundle b '.process.env = ["PATH=/opt"]' '.process.args = ["hello"]'
	mkdir "$T/b/rootfs/opt"
	printf '#!/bin/sh\necho found\n' >"$T/b/rootfs/opt/hello"
	chmod 755 "$T/b/rootfs/opt/hello"
	equal "$(kata run --bundle "$T/b" "$c")" found
}

@test "a relative program is below cwd" {
	bundle b '.process.cwd = "/opt"' '.process.args = ["./hello"]'
	mkdir "$T/b/rootfs/opt"
	printf '#!/bin/sh\npwd\n' >"$T/b/rootfs/opt/hello"
	chmod 755 "$T/b/rootfs/opt/hello"
	equal "$(kata run --bundle "$T/b" "$c")" /opt
}

@test "cwd is made when it is missing" {
	run -0 in_container pwd '.process.cwd = "/made/for/me"'
	equal "$output" /made/for/me
}

@test "user, groups and umask" {
	run -0 in_container 'id -u; id -g; id -G; umask; echo $HOME; touch /tmp/f; stat -c "%u %g %a" /tmp/f' \
		'.process.user = {"uid": 1000, "gid": 1000, "additionalGids": [2000, 7], "umask": 63}'
	equal "${lines[0]}" 1000
	equal "${lines[1]}" 1000
	equal "$(tr ' ' '\n' <<<"${lines[2]}" | sort -n | xargs)" "7 1000 2000"
	equal "${lines[3]}" 0077
	equal "${lines[4]}" /home/user
	equal "${lines[5]}" "1000 1000 600"
	equal "$(stat -c '%u %g %a' "$T/b/rootfs/tmp/f")" "1000 1000 600"
}

@test "capabilities" {
	run -0 in_container 'grep Cap /proc/self/status' '.process.capabilities = {
		"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
		"permitted": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN"],
		"inheritable": ["CAP_CHOWN"], "ambient": []}' \
		'.process.args = ["grep", "Cap", "/proc/self/status"]'
	has "$output" $'CapBnd:\t0000000000002021'
	bundle b2 '.process.args = ["grep", "Cap", "/proc/self/status"] |
		.process.user = {"uid": 1000, "gid": 1000} |
		.process.capabilities = {"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"],
		"inheritable": ["CAP_KILL"], "effective": ["CAP_KILL"], "ambient": ["CAP_KILL"]}'
	run -0 kata run --bundle "$T/b2" "$c"
	has "$output" $'CapEff:\t0000000000000020'
	has "$output" $'CapAmb:\t0000000000000020'
}

@test "no capabilities at all" {
	run -0 in_container 'grep CapBnd /proc/self/status; chown 1 /tmp' 'del(.process.capabilities)' ||
		true
	has "$output" 0000000000000000
	has "$output" "not permitted"
}

@test "no new privileges" {
	run -0 in_container 'grep NoNewPrivs /proc/self/status' '.process.noNewPrivileges = true'
	equal "$output" $'NoNewPrivs:\t1'
	run -0 in_container 'grep NoNewPrivs /proc/self/status' '.process.noNewPrivileges = false'
	equal "$output" $'NoNewPrivs:\t0'
}

@test "rlimits" {
	run -0 in_container 'ulimit -n; ulimit -Hn; ulimit -c; ulimit -u' '.process.rlimits = [
		{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200000},
		{"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
		{"type": "RLIMIT_NPROC", "soft": 333, "hard": 333}]'
	equal "$output" $'100\n200000\n0\n333'
}

@test "oom score" {
	run -0 in_container 'cat /proc/self/oom_score_adj' '.process.oomScoreAdj = -500'
	equal "$output" -500
}

# --- file systems

@test "what the program writes is on the host" {
	run -0 in_container 'echo hello >/new; mkdir /dir; ln -s new /link; chmod 604 /new; chown 5:6 /new' \
		'.process.capabilities |= map_values(. + ["CAP_CHOWN"])'
	equal "$(cat "$T/b/rootfs/new")" hello
	equal "$(stat -c '%u %g %a' "$T/b/rootfs/new")" "5 6 604"
	equal "$(readlink "$T/b/rootfs/link")" new
}

@test "a read-only root" {
	run in_container 'touch /x; touch /tmp/x' '.root.readonly = true' \
		'.mounts += [{"destination": "/tmp", "type": "tmpfs", "source": "t"}]'
	has "$output" "Read-only file system"
	has_not "$output" "/tmp/x"
	[ ! -e "$T/b/rootfs/x" ]
}

@test "mounts stand as listed" {
	run -0 in_container 'mount' '.mounts += [
		{"destination": "/a", "type": "tmpfs", "source": "one", "options": ["size=4m", "noexec"]},
		{"destination": "/a/b", "type": "tmpfs", "source": "two", "options": ["ro", "nosuid"]}]'
	has "$output" "on /proc type proc"
	has "$output" "on /dev type tmpfs"
	has "$output" "on /dev/pts type devpts"
	has "$output" "on /dev/shm type tmpfs"
	has "$output" "on /dev/mqueue type mqueue"
	has "$output" "on /sys type sysfs (ro"
	has "$(grep ' /a ' <<<"$output")" "size=4096k"
	has "$(grep ' /a ' <<<"$output")" noexec
	has "$(grep ' /a/b ' <<<"$output")" "(ro"
	[ -d "$T/b/rootfs/a" ]
}

@test "binds: writable, read-only, of files, recursive, below links" {
	mkdir -p "$T/rw" "$T/ro/sub"
	echo ro >"$T/ro/file"
	echo one >"$T/single"
	mount -t tmpfs none "$T/ro/sub"
	echo below >"$T/ro/sub/file"
	run in_container 'echo new >/rw/file; cat /ro/file /ro/sub/file /etc/single
		echo x >/ro/file; echo x >/ro/new; echo two >/etc/single' '.mounts += [
		{"destination": "/rw", "type": "bind", "source": "'"$T/rw"'", "options": ["rbind"]},
		{"destination": "/ro", "type": "bind", "source": "'"$T/ro"'", "options": ["rbind", "ro"]},
		{"destination": "/etc/single", "source": "'"$T/single"'", "options": ["bind"]}]'
	umount "$T/ro/sub"
	equal "${lines[0]}" ro
	equal "${lines[1]}" below
	equal "${lines[2]}" one
	equal "$(grep -c 'Read-only file system' <<<"$output")" 2
	equal "$(cat "$T/rw/file")" new
	equal "$(cat "$T/ro/file")" ro
	equal "$(cat "$T/single")" two
}

@test "what the host writes, replaces and removes is seen within two seconds" {
	sh_bundle b 'exec sleep 1000'
	d=$T/b/rootfs/d
	mkdir "$d"
	echo one >"$d/over"
	echo one >"$d/longer"
	echo one >"$d/replaced"
	echo one >"$d/removed"
	start_container "$c" b
	look='cd /d && echo * && cat over longer replaced'
	equal "$(kata exec "$c" sh -c "$look")" $'longer over removed replaced\none\none\none'
	echo two >"$d/over" # as many bytes
	echo 'two of them' >"$d/longer"
	echo two >"$d/replaced.new"
	mv "$d/replaced.new" "$d/replaced"
	rm "$d/removed"
	echo two >"$d/added"
	sleep 2
	equal "$(kata exec "$c" sh -c "$look")" $'added longer over replaced\ntwo\ntwo of them\ntwo'
}

@test "read-only is the host's doing: the guest's root cannot lift it" {
	mkdir "$T/ro"
	echo safe >"$T/ro/file"
	run in_container 'mount -o remount,rw /ro; mount -o remount,bind,rw /ro; echo broken >/ro/file
		echo "status $?"' \
		'.mounts += [{"destination": "/ro", "type": "bind", "source": "'"$T/ro"'",
			"options": ["rbind", "ro"]}] |
		.process.noNewPrivileges = false |
		.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	has "$output" "status 1"
	equal "$(cat "$T/ro/file")" safe
}

@test "two binds of one source, and one below the other" {
	mkdir -p "$T/d/e"
	echo deep >"$T/d/e/file"
	run -0 in_container 'cat /one/e/file /two/e/file /one/x/file; echo a >/two/new; cat /one/new' '.mounts += [
		{"destination": "/one", "type": "bind", "source": "'"$T/d"'", "options": ["rbind"]},
		{"destination": "/two", "type": "bind", "source": "'"$T/d"'", "options": ["rbind"]},
		{"destination": "/one/x", "type": "bind", "source": "'"$T/d/e"'", "options": ["rbind"]}]'
	equal "$output" $'deep\ndeep\ndeep\na'
}

@test "a destination behind a link stays in the container" {
	mkdir "$T/src"
	echo inside >"$T/src/file"
	bundle b '.mounts += [{"destination": "/link/data", "type": "bind",
		"source": "'"$T/src"'", "options": ["rbind"]}]' '.process.args = ["cat", "/target/data/file"]'
	ln -s /target "$T/b/rootfs/link"
	mkdir "$T/b/rootfs/target"
	equal "$(kata run --bundle "$T/b" "$c")" inside
	[ ! -e /target ]
}

@test "masked and read-only paths" {
	run in_container 'cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | wc -c
		ls /sys/firmware | wc -l; echo 1 >/proc/sys/kernel/panic; echo 1 >/proc/sys/vm/swappiness'
	equal "${lines[0]}" 0
	equal "${lines[1]}" 0
	equal "$(grep -c 'Read-only file system' <<<"$output")" 2
}

@test "sysctls" {
	run -0 in_container 'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward' \
		'.linux.sysctl = {"kernel.msgmax": "12345", "net.ipv4.ip_forward": "1"}'
	equal "$output" $'12345\n1'
}

# --- devices

@test "the default devices" {
	run -0 in_container 'for d in null zero full random urandom tty; do
			[ -c /dev/$d ] || echo no $d
		done
		echo x >/dev/null && head -c 3 /dev/zero | wc -c
		for l in fd stdin stdout stderr; do
			readlink /dev/$l
		done
		ls -l /dev/ptmx | grep -c ptmx'
	equal "${lines[0]}" 3
	equal "${lines[1]}" /proc/self/fd
	equal "${lines[2]}" /proc/self/fd/0
	equal "${lines[4]}" /proc/self/fd/2
	equal "${lines[5]}" 1
}

@test "a device of the spec" {
	run -0 in_container 'stat -c "%F %a %u %g" /dev/mine; head -c 5 /dev/mine | wc -c' \
		'.linux.devices = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5,
			"fileMode": 432, "uid": 0, "gid": 20}] |
		.linux.resources.devices = [{"allow": true, "access": "rwm"}]'
	equal "${lines[0]}" "character special file 660 0 20"
	equal "${lines[1]}" 5
}

@test "a FIFO of the spec" {
	run -0 in_container 'stat -c "%F %a %u %g" /dev/queue
		(echo through >/dev/queue &) && cat /dev/queue' \
		'.linux.devices = [{"path": "/dev/queue", "type": "p", "major": 8, "minor": 9,
			"fileMode": 416, "gid": 20}]'
	equal "${lines[0]}" "fifo 640 0 20"
	equal "${lines[1]}" through
}

# --- terminal

@test "a terminal: name, console, size" {
	sh_bundle b 'tty; ls -l /dev/console | cut -c 1; stty size; test -t 0 && test -t 1 && test -t 2 && echo all' \
		'.process.terminal = true' '.process.consoleSize = {"height": 12, "width": 34}'
	mkfifo "$T/commands"
	timeout 120 python3 "$e2e_dir/console.py" "$T/sock" "$T/$c.out" "$T/commands" 3>&- &
	eventually 10 test -S "$T/sock"
	create "$c" b --console-socket "$T/sock"
	kata start "$c"
	wait_stopped "$c"
	eventually 5 grep -q all "$T/$c.out"
	has "$(cat "$T/$c.out")" "12 34"
	has "$(head -n 1 "$T/$c.out")" /dev/
}

# --- hooks

# hook KIND COMMAND...: a filter that adds a hook: a script that has its state in $state
hook()
{
	local kind=$1
	shift
	printf '#!/bin/sh\nstate=$(cat)\n%s\n' "$*" >"$T/hook-$kind"
	chmod 755 "$T/hook-$kind"
	printf '.hooks.%s = [{"path": "%s"}]' "$kind" "$T/hook-$kind"
}

@test "hooks get the state, in order, with the stand-in's pid" {
	local kind filters=()
	for kind in prestart createRuntime poststart poststop; do
		filters+=("$(hook $kind 'echo "$state" | jq -c ". + {kind: \"'$kind'\"}"' ">>$T/hooks")")
	done
	bundle b "${filters[@]}" '.annotations = {"a": "b"}' '.process.args = ["sleep", "1000"]'
	create "$c" b
	equal "$(wc -l <"$T/hooks")" 2
	kata start "$c"
	kata kill "$c" KILL
	wait_stopped "$c"
	kata delete "$c"
	equal "$(jq -r .kind "$T/hooks" | xargs)" "prestart createRuntime poststart poststop"
	equal "$(jq -r .id "$T/hooks" | sort -u)" "$c"
	equal "$(jq -r .annotations.a "$T/hooks" | sort -u)" b
	equal "$(jq -r .bundle "$T/hooks" | sort -u)" "$T/b"
	equal "$(head -n 3 "$T/hooks" | jq -r .pid | sort -u)" "$(cat "$T/$c.pid")"
	equal "$(tail -n 1 "$T/hooks" | jq -r .status)" stopped
}

@test "a prestart hook sees the container's network namespace" {
	bundle b "$(hook prestart 'readlink /proc/$(echo "$state" | jq .pid)/ns/net' ">$T/ns")"
	create "$c" b
	equal "$(cat "$T/ns")" "$(readlink "/proc/$(cat "$T/$c.pid")/ns/net")"
	[ "$(cat "$T/ns")" != "$(readlink /proc/self/ns/net)" ]
}

# --- a distribution

@test "Debian: python, perl, apt" {
	local root
	root=$(rootfs_debian)
	bundle b '.root = {"path": "'"$root"'", "readonly": true}' \
		'.mounts += [{"destination": "/tmp", "type": "tmpfs", "source": "t"}]' \
		'.process.args = ["python3", "-c", "import os; print([os.getpid(), 6 * 7])"]'
	equal "$(kata run --bundle "$T/b" "$c")" "[1, 42]"
	change "$T/b" '.process.args = ["perl", "-e", "print join(\",\", map { $_ ** 2 } 1 .. 5), \"\\n\""]'
	equal "$(kata run --bundle "$T/b" "$c")" 1,4,9,16,25
	change "$T/b" '.process.args = ["apt-get", "--version"]'
	has "$(kata run --bundle "$T/b" "$c")" "apt "
}
