# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the scripts of this folder share: messages, the cache and apt.
#
# Packages come through apt only, so that the machine's mirror, proxy and trust
# settings hold. Where the machine's own package lists do not know a package
# (another suite, another architecture, lists that are missing or out of date and
# no right to refresh them) a private set of lists is kept in the cache; the
# machine's apt configuration is read and never written.
#
# The caller sets `me` and `cache`.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say()
{
	echo "$me: $*" >&2
}

# die WHAT WHY-AND-WHAT-TO-DO
die()
{
	echo "$me: $1: $2" >&2
	exit 1
}

need()
{
	command -v "$1" >/dev/null || die "$1 is missing" "install the package $2"
}

cache_default()
{
	if [ -n "${KATA_CACHE:-}" ]; then
		echo "$KATA_CACHE"
	elif [ -n "${XDG_CACHE_HOME:-}" ]; then
		echo "$XDG_CACHE_HOME/kata"
	elif [ -n "${HOME:-}" ]; then
		echo "$HOME/.cache/kata"
	fi
}

# One job at a time in a cache: two parallel makes download once. The lock goes
# with the process, so a killed job blocks nobody.
cache_lock()
{
	if ! mkdir -p "$cache" 2>/dev/null || ! [ -w "$cache" ]; then
		die "cannot write to $cache" "give another directory with --cache"
	fi
	exec 9>"$cache/.lock"
	flock -n 9 && return
	say "waiting for another job in $cache"
	flock 9
}

# A directory for half-made things, on the cache's file system so that rename
# works, and removed at exit. Call once, with the lock held: anything left there is
# from a job that was killed.
cache_scratch()
{
	rm -rf "$cache/tmp"
	mkdir -p "$cache/tmp"
	trap 'rm -rf "$cache/tmp"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# place FILE DIR [NAME]: give the user a cached file, as a hard link where possible
# (a kernel is tens of megabytes), by rename so that readers see old or new.
place()
{
	local to=$2/${3:-${1##*/}} tmp
	[ "$1" -ef "$to" ] && return
	tmp=$to.tmp.$$
	rm -f "$tmp"
	ln "$1" "$tmp" 2>/dev/null || cp "$1" "$tmp" ||
		die "cannot write $tmp" "is there space in $2?"
	mv -fT "$tmp" "$to" || die "cannot write $to" "check its permissions"
}

# "URI SUITE" of what this machine's apt reads, one a line. Asking apt spares a parser
# for the two source formats.
apt_sources()
{
	{ apt-get --print-uris update 2>/dev/null || true; } |
		sed -n "/debian/s|^'\(.*\)/dists/\(.*\)/InRelease'.*|\1 \2|p"
}

# apt_private NAME ARCH: an apt of our own below the cache; the source list is read from
# stdin. Everything after that runs as `apt_run NAME ...`.
apt_private()
{
	local d=$cache/apt/$1
	mkdir -p "$d/lists/partial" "$d/cache/archives/partial"
	sed "s|^|deb [signed-by=$keyring] |" >"$d/sources.list"
	: >"$d/status"
	cat >"$d/apt.conf" <<-END
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		APT::Architecture "$2";
		APT::Architectures { "$2"; };
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		Acquire::Languages "none";
		Acquire::Retries "2";
		Dir::Etc::sourcelist "$d/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::Etc::preferences "-";
		Dir::Etc::preferencesparts "-";
		Dir::State "$d";
		Dir::State::lists "$d/lists";
		Dir::State::status "$d/status";
		Dir::Cache "$d/cache";
	END
}

apt_have()
{
	[ -e "$cache/apt/$1/updated" ]
}

# apt_run NAME COMMAND...: COMMAND with the private apt NAME, or with the machine's when
# NAME is empty.
apt_run()
{
	local name=$1
	shift
	if [ -n "$name" ]; then
		APT_CONFIG=$cache/apt/$name/apt.conf "$@"
	else
		"$@"
	fi
}

# apt_update NAME: 0 when apt has lists afterwards; what apt said is in $apt_said.
apt_update()
{
	apt_said=$(apt_run "$1" apt-get -q update 2>&1 >/dev/null) &&
		: >"$cache/apt/$1/updated"
}

# apt_fetch NAME PACKAGE=VERSION DIR: download into DIR
apt_fetch()
{
	apt_said=$(cd "$3" && apt_run "$1" apt-get -q -o APT::Sandbox::User=root \
		download "$2" 2>&1)
}

# The one line of apt's output that tells why.
apt_why()
{
	local why
	why=$(grep -m1 'Failed to fetch\|NO_PUBKEY' <<<"$apt_said") ||
		why=$(grep -m1 '^E:' <<<"$apt_said") || why=${apt_said##*$'\n'}
	echo "${why:-apt gave no reason}"
}
