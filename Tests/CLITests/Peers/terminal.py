"""Runs a program in a terminal of its own, as a person sits before it.

terminal.py SCREEN ROWS COLUMNS PROGRAM ARGUMENT…

What the program writes goes to the file SCREEN, and at its end "\nexit CODE\n". Obeys lines on standard input:
"resize ROWS COLUMNS", "press HEX" (keys). When that ends, the program is killed.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

screen = open(sys.argv[1], "wb", buffering=0)


def resize(rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))


child, terminal = pty.fork()
if child == 0:
    # Not before the terminal has its size.
    os.read(0, 1)
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[4], sys.argv[4:])
resize(sys.argv[2], sys.argv[3])
os.write(terminal, b"\n")
commands = b""
while True:
    ready, _, _ = select.select([terminal, 0], [], [])
    if terminal in ready:
        try:
            output = os.read(terminal, 65536)
        except OSError:  # the program ended
            break
        screen.write(output)
    if 0 in ready:
        read = os.read(0, 4096)
        if not read:
            os.kill(child, signal.SIGKILL)
            break
        commands += read
        *lines, commands = commands.split(b"\n")
        for line in lines:
            word, *rest = line.decode().split()
            if word == "resize":
                resize(*rest)
            else:
                os.write(terminal, bytes.fromhex(rest[0]))
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
screen.write(f"\nexit {status}\n".encode())
