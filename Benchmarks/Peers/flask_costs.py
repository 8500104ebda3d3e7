"""Prints what Flask's contexts and Python's variables cost: `row<TAB>nanoseconds an operation`, as PeerCosts does."""

import timeit
from contextvars import ContextVar

from flask import Flask, g
from werkzeug.test import EnvironBuilder

import recyclable

app = Flask("bench")
hooked = Flask("bench")
hooked.teardown_request(lambda error: None)
hooked.teardown_request(lambda error: None)
environ = EnvironBuilder("/").get_environ()
plain = ContextVar("plain")
plain.set(1)
variable = recyclable.RecyclableVariable(ContextVar("value"))
recyclable.recycle()
variable.set(1)


def fastest(statement, number, repeats=150):
    """The fastest of many short loops, as ours are measured. They are text: a function would add its call."""
    return min(timeit.repeat(statement, number=number, repeat=repeats, globals=globals())) / number * 1e9


def report(name, nanoseconds):
    print(f"{name}\t{nanoseconds}", flush=True)


report("app scope", fastest("with app.app_context(): pass", 500))
report("request scope", fastest("with hooked.request_context(environ): pass", 100))
with app.app_context():
    report("g set and get", fastest("g.x = 1; g.x", 1_000))
report("recyclable get", fastest("variable.get()", 10_000))
report("context variable get", fastest("plain.get()", 20_000))
