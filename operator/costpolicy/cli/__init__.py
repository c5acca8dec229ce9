"""The command line: one file a command, each of them load -> pure call -> print.

Exit 0: done; 1: the answer is no; 2: wrong input.  With ``-o json`` stdout carries only the answer, and everything
else goes to stderr.  Heavy imports wait until a command needs them, so that ``--help`` answers at once.
"""
