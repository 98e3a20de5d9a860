#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dialogue: talk with a command that runs on a terminal of its own, as a person does.

usage: dialogue.py ROWS COLUMNS STEP... -- COMMAND...
A STEP is "wait:TEXT" (until the command has said it since the last wait), "type:TEXT" (and
Enter), "keys:TEXT" (as they are; \\xNN is a byte) or "size:ROWS COLUMNS". Prints all that was
said, then whether the terminal's settings are as they were. Ends with the command's status.
Whoever calls it bounds the time.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios


class Terminal:
    def __init__(self, rows, columns):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.said = b""
        self.seen = 0

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def spawn(self, command):
        self.child = os.fork()
        if self.child == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for i in range(3):
                os.dup2(self.slave, i)
            os.closerange(3, 100)
            os.execvp(command[0], command)
        self.ended = os.pidfd_open(self.child)

    def read(self):
        """More of what is said; False once the command has ended and all of it is read.
        Our own end of the slave is open for its settings' sake, so there is no hang-up."""
        ready, _, _ = select.select([self.master, self.ended], [], [])
        if self.master not in ready:
            return False
        self.said += os.read(self.master, 65536)
        return True

    def wait(self, text):
        while (at := self.said.find(text, self.seen)) < 0:
            if not self.read():
                print(self.said.decode(errors="replace"))
                sys.exit(f"dialogue: it ended before it said {text!r}")
        self.seen = at + len(text)


def obey(terminal, step):
    verb, _, text = step.partition(":")
    if verb == "wait":
        terminal.wait(text.encode())
    elif verb == "type":
        os.write(terminal.master, text.encode() + b"\r")
    elif verb == "keys":
        os.write(terminal.master, text.encode().decode("unicode_escape").encode("latin-1"))
    elif verb == "size":
        terminal.resize(*map(int, text.split()))
    else:
        sys.exit(f"dialogue: what is {step!r}?")


def main():
    split = sys.argv.index("--")
    terminal = Terminal(int(sys.argv[1]), int(sys.argv[2]))
    terminal.spawn(sys.argv[split + 1:])

    def out_of_time(*_):
        print(terminal.said.decode(errors="replace"))
        sys.exit(f"dialogue: the time was over; read up to byte {terminal.seen}")
    signal.signal(signal.SIGTERM, out_of_time)
    for step in sys.argv[3:split]:
        obey(terminal, step)
    while terminal.read():
        pass
    _, status = os.waitpid(terminal.child, 0)
    sys.stdout.write(terminal.said.decode(errors="replace"))
    after = termios.tcgetattr(terminal.slave)
    same = after == terminal.before
    print("settings restored" if same else f"settings changed: {terminal.before} {after}")
    sys.exit(os.waitstatus_to_exitcode(status))


main()
