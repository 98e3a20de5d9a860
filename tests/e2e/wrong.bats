#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# wrong: everything that can be wrong with a call, a bundle or a host ends in one clear line,
# a failing status and nothing left behind. Where engines match on texts they are runc's
# (CONTRACT 0.7, 1.7).

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

# refused TEXT BUNDLE [OPTION...]: create fails with one line that has TEXT, and leaves nothing
refused()
{
	local text=$1 bundle=$2 status=0
	shift 2
	kata create --bundle "$T/$bundle" --pid-file "$T/pid" "$@" "$c" \
		</dev/null >"$T/out" 2>"$T/err" || status=$?
	cat "$T/err"
	[ $status -ne 0 ] && [ $status -ne 124 ] || fail "status $status"
	equal "$(cat "$T/out")" ""
	one_error "$T/err" "$text"
	[ ! -e "$T/pid" ] || fail "a pid file is left"
	nothing_left
}

# without teardown's tidying up
nothing_left()
{
	equal "$(leaks)" ""
}

# --- bundles

@test "no such bundle" {
	refused "no such file or directory" nowhere
}

@test "a bundle without config.json" {
	mkdir "$T/b"
	refused "config.json" b
}

@test "config.json that is no JSON" {
	bundle b
	printf '{\n"ociVersion": "1.0.2",\n oops }' >"$T/b/config.json"
	refused "config.json: line 3" b
}

@test "an empty config.json" {
	bundle b
	: >"$T/b/config.json"
	refused "config.json" b
}

@test "config.json of an unknown version" {
	bundle b '.ociVersion = "9.0.0"'
	refused "9.0.0" b
}

@test "a wrong type names its place" {
	bundle b '.process.user.uid = "root"'
	refused "process.user.uid" b
	bundle b2 '.mounts[1].destination = 7'
	refused "mounts[1].destination" b2
}

@test "unknown properties are ignored" {
	bundle b '.example = {"a": [1]}' '.process.example = true' '.linux.example = 3'
	kata run --bundle "$T/b" "$c"
}

@test "no process.args" {
	bundle b 'del(.process.args)'
	refused "process.args" b
}

@test "a relative process.cwd" {
	bundle b '.process.cwd = "tmp"'
	refused "cwd" b
}

@test "a rootfs that is not there" {
	bundle b '.root.path = "elsewhere"'
	refused "elsewhere: no such file or directory" b
}

@test "a rootfs that is a file" {
	bundle b
	: >"$T/b/file"
	change "$T/b" '.root.path = "file"'
	refused "not a directory" b
}

@test "a mount whose source is not there" {
	bundle b '.mounts += [{"destination": "/data", "type": "bind", "source": "/nowhere/at/all",
		"options": ["rbind"]}]'
	refused "/nowhere/at/all: no such file or directory" b
}

@test "a mount option that is unknown to the file system" {
	bundle b '.mounts += [{"destination": "/t", "type": "tmpfs", "source": "t",
		"options": ["nonsense=7"]}]'
	refused "/t" b
}

@test "an unknown namespace type" {
	bundle b '.linux.namespaces += [{"type": "elsewhere"}]'
	refused "linux.namespaces" b
}

@test "a namespace path that is something else" {
	bundle b '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/uts"'
	refused "network" b
}

@test "an unknown rlimit, and one given twice" {
	bundle b '.process.rlimits = [{"type": "RLIMIT_NONSENSE", "hard": 1, "soft": 1}]'
	refused "RLIMIT_NONSENSE" b
	bundle b2 '.process.rlimits += .process.rlimits'
	refused "rlimits" b2
}

@test "a sysctl that is not the container's" {
	bundle b '.linux.sysctl = {"kernel.panic": "1"}'
	refused "kernel.panic" b
}

@test "limits that a VM cannot keep" {
	local i=0 row
	for row in network.classID=1 'network.priorities=[{"name": "eth0", "priority": 1}]' \
		'rdma={"mlx5_0": {"hcaHandles": 3}}' memory.kernel=4096 memory.kernelTCP=4096 \
		memory.disableOOMKiller=true cpu.realtimeRuntime=950 cpu.realtimePeriod=1000; do
		i=$((i + 1))
		bundle "b$i" ".linux.resources.${row%%=*} = ${row#*=}"
		refused "linux.resources.${row%%=*}: " "b$i"
	done
}

@test "a hook that fails" {
	bundle b '.hooks.createRuntime = [{"path": "/bin/sh",
		"args": ["sh", "-c", "echo boom >&2; exit 3"]}]'
	refused "boom" b
	bundle b2 '.hooks.prestart = [{"path": "/nowhere/hook"}]'
	refused "/nowhere/hook" b2
}

# --- programs: engines make 127 and 126 of the words

@test "a program that is not there" {
	bundle b '.process.args = ["no-such-program"]'
	refused 'exec: "no-such-program": executable file not found in $PATH' b
}

@test "a path that is not there" {
	bundle b '.process.args = ["/no/such/program"]'
	refused 'exec: "/no/such/program": stat /no/such/program: no such file or directory' b
}

@test "a program that may not be executed" {
	bundle b '.process.args = ["/etc/passwd"]'
	refused 'exec: "/etc/passwd": permission denied' b
}

@test "a directory as program" {
	bundle b '.process.args = ["/etc"]'
	refused 'exec: "/etc": is a directory: permission denied' b
}

@test "run: 127 and 126" {
	bundle b '.process.args = ["no-such-program"]'
	run -127 kata run --bundle "$T/b" "$c"
	has "$output" 'executable file not found in $PATH'
	nothing_left
	bundle b2 '.process.args = ["/etc/passwd"]'
	run -126 kata run --bundle "$T/b2" "$c"
	has "$output" 'permission denied'
	nothing_left
}

@test "a script whose interpreter is not there" {
	bundle b '.process.args = ["/script"]'
	printf '#!/no/such/interpreter\n' >"$T/b/rootfs/script"
	chmod 755 "$T/b/rootfs/script"
	# found and executable: that it cannot run is known at start only
	create "$c" b
	run ! kata start "$c"
	has "$output" "no such file or directory"
}

# --- ids and options

@test "an id that is in use" {
	bundle b
	create "$c" b
	run ! create "$c" b
	has "$output" "container with given ID already exists"
	equal "$(status_of "$c")" created
}

@test "ids that could be paths" {
	local id
	bundle b
	for id in .. . a/b ../b /b 'a b' ''; do
		run ! kata create --bundle "$T/b" "$id"
		has "$output" "id"
		equal "${#lines[@]}" 1
	done
	equal "$(find "$T" -name record.json)" ""
	nothing_left
}

@test "a container that is not there" {
	local verb
	for verb in state start kill delete; do
		run -1 kata $verb nothing
		has "$output" "container does not exist"
		equal "${#lines[@]}" 1
	done
}

@test "options and commands that are not there" {
	run ! kata nonsense
	has "$output" nonsense
	run ! kata create --nonsense
	has "$output" nonsense
	run ! kata create --bundle
	has "$output" bundle
	nothing_left
}

@test "the log as JSON: one object with the same text" {
	bundle b '.process.args = ["no-such-program"]'
	run ! kata --log "$T/log" --log-format json create --bundle "$T/b" "$c"
	has "$output" 'executable file not found in $PATH'
	equal "$(jq -r .level "$T/log")" error
	has "$(jq -r .msg "$T/log")" 'executable file not found in $PATH'
	date -d "$(jq -r .time "$T/log")"
	bundle b2
	rm "$T/log"
	kata --log "$T/log" --log-format json run --bundle "$T/b2" "$c"
	[ ! -s "$T/log" ]
}

# --- hosts

@test "no guest kernel" {
	bundle b
	conf guest "kernel = /nowhere/vmlinux"
	refused "/nowhere/vmlinux" b
}

@test "a guest kernel that is none" {
	bundle b
	head -c 100000 /dev/urandom >"$T/vmlinux"
	conf guest "kernel = $T/vmlinux" "boot_timeout = 20"
	refused "" b
}

@test "no initramfs" {
	bundle b
	conf guest "initrd = /nowhere/initramfs"
	refused "/nowhere/initramfs" b
}

@test "no hypervisor" {
	bundle b
	conf hypervisor "path = /nowhere/qemu"
	refused "/nowhere/qemu" b
}

@test "no virtiofsd" {
	bundle b
	conf share "virtiofsd = /nowhere/virtiofsd"
	refused "/nowhere/virtiofsd" b
}

@test "no vsock device" {
	[ ! -e /dev/vhost-vsock ] || conf hypervisor "vsock = vhost-user"
	bundle b
	conf hypervisor "vsock_device = /nowhere/vhost-device-vsock"
	refused "/nowhere/vhost-device-vsock" b
}

# script NAME TEXT: an executable shell script $T/NAME
script()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$T/$1"
	chmod 755 "$T/$1"
}

@test "a hypervisor that dies at once" {
	bundle b
	script qemu 'echo "could not do it: reasons" >&2; exit 1'
	conf hypervisor "path = $T/qemu"
	refused "could not do it: reasons" b
}

@test "a virtiofsd that dies at once" {
	bundle b
	script virtiofsd 'echo "could not share: reasons" >&2; exit 1'
	conf share "virtiofsd = $T/virtiofsd" "flavour = c"
	refused "virtiofsd" b
}

@test "a vsock device that dies at once" {
	[ ! -e /dev/vhost-vsock ] || conf hypervisor "vsock = vhost-user"
	bundle b
	script vsock 'echo "no vsock: reasons" >&2; exit 1'
	conf hypervisor "vsock_device = $T/vsock"
	refused "vhost-device-vsock" b
}

@test "a hypervisor that never answers" {
	bundle b
	script qemu 'exec sleep 1000'
	conf hypervisor "path = $T/qemu"
	conf guest "boot_timeout = 3"
	refused "" b
}

@test "a guest whose agent never answers" {
	bundle b
	python3 "$e2e_dir/sleeping_initrd.py" "$T/initrd"
	conf guest "initrd = $T/initrd" "boot_timeout = 8"
	refused "8 s" b
}

@test "a configuration with an unknown key" {
	bundle b
	conf guest "kernal = /boot/vmlinux"
	refused 'did you mean "kernel"' b
}

@test "a full disk below the state directory" {
	bundle b
	mkdir "$T/small"
	mount -t tmpfs -o size=64k none "$T/small"
	ROOT=$T/small/root
	mkdir "$ROOT"
	head -c 200k /dev/zero >"$T/small/full" 2>/dev/null || true
	run ! kata create --bundle "$T/b" "$c" </dev/null
	has "$output" "no space left on device"
	equal "${#lines[@]}" 1
	equal "$(find "$ROOT" -mindepth 1)" ""
	umount "$T/small"
	ROOT=$T/root
	nothing_left
}

@test "a state directory that cannot be written" {
	bundle b
	mkdir "$T/ro"
	mount -t tmpfs -o ro none "$T/ro"
	ROOT=$T/ro
	run ! kata create --bundle "$T/b" "$c" </dev/null
	has "$output" "read-only file system"
	equal "${#lines[@]}" 1
	ROOT=$T/ro/root
	run ! kata create --bundle "$T/b" "$c" </dev/null
	has "$output" "read-only file system"
	umount "$T/ro"
	ROOT=/dev/null/root
	run ! kata create --bundle "$T/b" "$c" </dev/null
	has "$output" "not a directory"
	ROOT=$T/root
	nothing_left
}

@test "a pid file that cannot be written" {
	bundle b
	run ! kata create --bundle "$T/b" --pid-file /nowhere/pid "$c" </dev/null
	has "$output" "/nowhere/pid"
	equal "${#lines[@]}" 1
	nothing_left
}

@test "a console socket where nobody listens" {
	bundle b '.process.terminal = true'
	refused "console socket" b --console-socket "$T/nobody"
}
