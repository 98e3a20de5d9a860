# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Debian packages that quickstart and tests/run need, and how they are installed: only what
# is missing, quietly, with one line that says so.

# kata_packages build|run|kernel|test...: names, for this release and architecture
kata_packages()
{
	local set
	for set in "$@"; do
		case $set in
		build)
			echo gcc libc6-dev make autoconf automake libtool pkgconf
			echo libyajl-dev libinih-dev libnl-3-dev libnl-route-3-dev libseccomp-dev libsystemd-dev git ca-certificates ;;
		run)
			case $(dpkg --print-architecture) in
			arm64) echo qemu-system-arm ;;
			*) echo qemu-system-x86 ;;
			esac
			# Debian 12 has virtiofsd within QEMU's package, later ones have it apart
			echo qemu-system-common
			grep -q '^VERSION_ID="12"' /etc/os-release || echo virtiofsd
			# to unpack the guest's kernel
			echo xz-utils zstd lz4 debian-archive-keyring busybox-static
			# NAT of kata-hook-net
			echo nftables ;;
		kernel) # to compile the guest's
			echo flex bison bc libelf-dev ;;
		test)
			echo check valgrind bats shellcheck mandoc clang-format jq python3 psmisc \
				procps util-linux iproute2 docker.io docker-compose mmdebstrap cpio runc \
				podman conmon catatonit netavark aardvark-dns iptables patchelf \
				dbus-daemon strace curl iperf3
			grep -q '^VERSION_ID="12"' /etc/os-release || echo docker-cli ;;
		esac
	done
}

packages_missing()
{
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
			echo "$p"
	done
}

# packages_install PACKAGE...: needs root if anything is missing
packages_install()
{
	local missing log
	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	echo "installing packages: ${missing[*]}"
	[ "$(id -u)" = 0 ] || {
		echo "not root: run 'apt-get install ${missing[*]}' first" >&2
		return 1
	}
	log=$(mktemp)
	export DEBIAN_FRONTEND=noninteractive
	if packages_apt "${missing[@]}" >"$log" 2>&1 ||
		{ apt-get -q update && packages_apt "${missing[@]}"; } >>"$log" 2>&1; then
		rm -f "$log"
		return 0
	fi
	tail -n 20 "$log" >&2
	rm -f "$log"
	echo "apt-get install failed" >&2
	return 1
}

packages_apt()
{
	apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
		install --no-install-recommends "$@" </dev/null
}
