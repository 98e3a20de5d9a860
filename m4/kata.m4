# SPDX-License-Identifier: Apache-2.0

# KATA_TRY_CFLAGS(VARIABLE, FLAG...): append each flag the compiler takes. -Werror, or
# clang would take anything with a warning.
AC_DEFUN([KATA_TRY_CFLAGS], [
m4_foreach_w([flag], [$2], [
	AC_MSG_CHECKING([whether $CC takes flag])
	kata_save_cflags=$CFLAGS
	CFLAGS="$CFLAGS -Werror flag"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([])],
		[AC_MSG_RESULT([yes]); $1="$$1 flag"],
		[AC_MSG_RESULT([no])])
	CFLAGS=$kata_save_cflags
])
AC_SUBST([$1])
])

# KATA_TRY_LDFLAGS(VARIABLE, FLAG...): the same for the linker.
AC_DEFUN([KATA_TRY_LDFLAGS], [
m4_foreach_w([flag], [$2], [
	AC_MSG_CHECKING([whether $CC links with flag])
	kata_save_ldflags=$LDFLAGS
	LDFLAGS="$LDFLAGS flag"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([])],
		[AC_MSG_RESULT([yes]); $1="$$1 flag"],
		[AC_MSG_RESULT([no])])
	LDFLAGS=$kata_save_ldflags
])
AC_SUBST([$1])
])

# KATA_STATIC_LIB(VARIABLE, NAMES, SYMBOL): find a static archive for the agent, which
# runs where no library is.
AC_DEFUN([KATA_STATIC_LIB], [
	AC_MSG_CHECKING([for a static library with $3])
	kata_save_libs=$LIBS
	kata_save_ldflags=$LDFLAGS
	LDFLAGS="-static"
	$1=
	for kata_lib in $2; do
		LIBS="-l$kata_lib"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([char $3(void);], [return $3();])],
			[$1="-l$kata_lib"; break])
	done
	LIBS=$kata_save_libs
	LDFLAGS=$kata_save_ldflags
	AS_IF([test -z "$$1"], [AC_MSG_RESULT([no])
		AC_MSG_ERROR([no static library with $3 (tried: $2); kata-agent needs it])],
		[AC_MSG_RESULT([$$1])])
	AC_SUBST([$1])
])
