#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# seccomp: filters of system calls in the guest; what is said of profiles that cannot be.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

# docker's default profile, as dockerd resolves it
docker_profile()
{
	jq .linux.seccomp "$e2e_dir/../data/oci/valid/docker-20.10-run.json"
}

# forbid ACTION [MEMBER]: everything but mkdir
forbid()
{
	printf '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["mkdir", "mkdirat"], "action": "%s" %s}]}' "$1" "${2:+, $2}"
}

@test "an engine's default profile: what it allows, what it does not, exec too" {
	sh_bundle b 'grep -E "^(Seccomp|NoNewPrivs|CapPrm|CapEff)" /proc/self/status
		unshare -m true || echo "not $?"; mkdir /tmp/x && echo made; echo up; exec sleep 1000' \
		".linux.seccomp = $(docker_profile)" \
		'.process.noNewPrivileges = false'
	start_container "$c" b
	wait_output "$c" up
	run -0 tr -d '\t' <"$T/$c.out"
	has "$output" Seccomp:2
	has "$output" Seccomp_filters:1
	has "$output" NoNewPrivs:0
	# what loading took is not left: kill, audit_write, net_bind_service
	has "$output" CapPrm:0000000020000420
	has "$output" CapEff:0000000020000420
	has "$output" "not 1"
	has "$output" made
	has "$(cat "$T/$c.err")" "Operation not permitted"

	run -0 kata exec "$c" sh -c 'grep -E "^(Seccomp|CapPrm)" /proc/self/status; unshare -m true || echo no'
	has "$(tr -d '\t' <<<"$output")" $'CapPrm:0000000020000420\nSeccomp:2\nSeccomp_filters:1'
	has "$output" no
	run -0 kata exec -u 1000 "$c" grep -E '^(Seccomp|CapPrm)' /proc/self/status
	has "$(tr -d '\t' <<<"$output")" $'CapPrm:0000000000000000\nSeccomp:2\nSeccomp_filters:1'
	run -0 kata exec --no-new-privs "$c" grep -E '^(Seccomp|NoNewPrivs)' /proc/self/status
	has "$(tr -d '\t' <<<"$output")" $'NoNewPrivs:1\nSeccomp:2\nSeccomp_filters:1'
	# capabilities do not open what the profile closes
	run -0 kata exec --cap CAP_SYS_ADMIN "$c" sh -c 'unshare -m true || echo still not'
	has "$output" "still not"
	# compiled once, and kept
	equal "$(find "$ROOT" -maxdepth 1 -name '@seccomp-*' | wc -l)" 1
}

@test "no profile: no filter" {
	run -0 in_container 'grep -E "^(Seccomp|NoNewPrivs)" /proc/self/status; mkdir /tmp/x'
	has "$(tr -d '\t' <<<"$output")" $'NoNewPrivs:1\nSeccomp:0\nSeccomp_filters:0'
}

@test "errno, its number, arguments" {
	sh_bundle b 'mkdir /tmp/x; echo $?; nice -n 1 true && echo nice; umask 0; mkdir -m 700 /tmp/y; ls /tmp' \
		"$(forbid SCMP_ACT_ERRNO '"errnoRet": 100, "args": [{"index": 1, "value": 511, "op": "SCMP_CMP_EQ"}]')"
	# busybox: mkdir(path, 0777), and 0700 when told so
	jq '.linux.seccomp.syscalls[0].names = ["mkdir"]' "$T/b/config.json" >"$T/x.json"
	mv "$T/x.json" "$T/b/config.json"
	run -0 kata run --bundle "$T/b" "$c" </dev/null
	has "$output" "Network is down"
	has "$output" nice
	has "$output" y
}

@test "kill: 159, as under runc" {
	sh_bundle b 'sh -c "mkdir /tmp/x"; echo "child $?"; exec mkdir /tmp/x' \
		"$(forbid SCMP_ACT_KILL)"
	run -159 kata run --bundle "$T/b" "$c" </dev/null
	has "$output" "child 159"
	change "$T/b" "$(forbid SCMP_ACT_KILL_PROCESS)" '.process.noNewPrivileges = false'
	run -159 kata run --bundle "$T/b" "$c" </dev/null
	has "$output" "child 159"
	[ ! -e "$T/b/rootfs/tmp/x" ]
	change "$T/b" "$(forbid SCMP_ACT_TRAP)"
	run -159 kata run --bundle "$T/b" "$c" </dev/null
}

@test "log: it is done, and in the guest's log" {
	run -0 in_container 'mkdir /tmp/x && echo made; dmesg | grep type=1326' \
		"$(forbid SCMP_ACT_LOG)" \
		'.process.capabilities |= map_values(. + ["CAP_SYSLOG"])'
	has "$output" made
	has "$output" 'comm="mkdir"'
}

@test "a profile that allows nothing but the program" {
	# what the runtime does before is not counted, behind the filter there is exec alone
	bundle b '.process.args = ["echo", "hello"]' '.linux.seccomp = {
		"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"action": "SCMP_ACT_ALLOW",
		"names": ["execve", "brk", "arch_prctl", "mmap", "mprotect", "set_tid_address",
			"set_robust_list", "rseq", "prlimit64", "readlink", "readlinkat", "getrandom",
			"uname", "getuid", "write", "exit_group", "newfstatat", "fstat", "munmap",
			"prctl", "poll", "setuid", "setgid", "getgid"]}]}'
	equal "$(kata run --bundle "$T/b" "$c" </dev/null)" hello
	change "$T/b" '.linux.seccomp.syscalls[0].names -= ["execve"]'
	run -159 kata run --bundle "$T/b" "$c" </dev/null
}

@test "calls newer than the profile do not exist" {
	# 999 is beyond all, clone3 (435) beyond what is left of this profile, prctl (157) is
	# not in it. glibc makes threads by clone3 and falls back only when that does not exist.
	sh_bundle b 'perl -e "for (999, 435, 157) { syscall(\$_, 0, 0, 0, 0, 0); print qq(\$!\n) }"
		python3 -c "import threading as t; t.Thread(target=print, args=[\"thread\"]).start()"' \
		".linux.seccomp = $(docker_profile)" \
		'.linux.seccomp.syscalls[].names |= map(select(test("^(clone3|openat2|close_range|faccessat2|epoll_pwait2|
			futex_waitv|landlock_.*|memfd_secret|process_mrelease|prctl)$"; "x") | not))' \
		'.linux.seccomp.syscalls |= map(select(.names != []))'
	rm -rf "$T/b/rootfs"
	cp -a "$(rootfs_debian)" "$T/b/rootfs"
	run -0 kata run --bundle "$T/b" "$c" </dev/null
	equal "$output" $'Function not implemented\nFunction not implemented\nOperation not permitted\nthread'
}

@test "what cannot be is refused by name" {
	sh_bundle b true '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW",
		"listenerPath": "/run/agent.sock", "syscalls": [
		{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}'
	run -1 kata run --bundle "$T/b" "$c" </dev/null
	has "$output" "linux.seccomp.listenerPath: a host process cannot supervise"
	change "$T/b" "$(forbid SCMP_ACT_ERRNO '"errnoRet": 5000')"
	run -1 kata run --bundle "$T/b" "$c" </dev/null
	has "$output" "linux.seccomp.syscalls[0]: errno 5000 is above 4095"
	change "$T/b" "$(forbid SCMP_ACT_ERRNO)" \
		'.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
	run -1 kata run --bundle "$T/b" "$c" </dev/null
	has "$output" "linux.seccomp.flags[0]: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
	[ ! -e "$ROOT/$c" ]
}

@test "labels of Linux security modules: warned about, or refused" {
	conf runtime unsupported=warn
	run -0 in_container 'cat /proc/self/attr/current 2>/dev/null; echo ran' \
		'.process.apparmorProfile = "docker-default"'
	has "$output" ran
	run -0 kata --debug run --bundle "$T/b" "$c" </dev/null
	equal "$(grep -c 'level=warning.*process.apparmorProfile' <<<"$output")" 1

	unset KATA_CONFIG
	conf runtime unsupported=refuse
	run -1 kata run --bundle "$T/b" "$c" </dev/null
	has "$output" "process.apparmorProfile: the guest has no AppArmor"
	change "$T/b" 'del(.process.apparmorProfile)' '.process.selinuxLabel = "a:b:c:s0"'
	run -1 kata run --bundle "$T/b" "$c" </dev/null
	has "$output" "process.selinuxLabel: the guest has no SELinux"
	change "$T/b" 'del(.process.selinuxLabel)' '.linux.mountLabel = "a:b:c:s0"'
	run -1 kata run --bundle "$T/b" "$c" </dev/null
	has "$output" "linux.mountLabel: the guest has no SELinux"

	change "$T/b" 'del(.linux.mountLabel)' '.process.apparmorProfile = "unconfined"' \
		'.process.args = ["sleep", "1000"]'
	start_container "$c" b
	run -255 kata exec --apparmor other "$c" true
	has "$output" "process.apparmorProfile: the guest has no AppArmor"
	run -255 kata exec --process-label a:b:c:s0 "$c" true
	has "$output" "process.selinuxLabel: the guest has no SELinux"
	run -0 kata exec --apparmor unconfined "$c" true
}
