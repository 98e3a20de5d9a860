# SPDX-License-Identifier: Apache-2.0
#
# C without comments and with empty string literals, as "FILE:LINE:code" for each line.

FNR == 1 {
	comment = 0
}

{
	out = ""
	line = $0
	while (line != "") {
		if (comment) {
			i = index(line, "*/")
			if (!i)
				break
			line = substr(line, i + 2)
			comment = 0
			continue
		}
		if (!match(line, /\/\*|\/\/|"|'/)) {
			out = out line
			break
		}
		out = out substr(line, 1, RSTART - 1)
		tok = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		if (tok == "//")
			break
		if (tok == "/*") {
			comment = 1
			continue
		}
		while (line != "") {
			c = substr(line, 1, 1)
			line = substr(line, c == "\\" ? 3 : 2)
			if (c == tok)
				break
		}
		out = out tok tok
	}
	print FILENAME ":" FNR ":" out
}
