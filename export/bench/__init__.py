"""The headless benchmark: how fast is a bundle on this machine, and how good?

    rows         what a figure is, and how figures are written down
    documents    real pieces with cursors in them
    measure      the stopwatch: everything that is timed within one process
    lsp          the same suggestions through the real server over standard input and output
    quality      how often the next measure is predicted, on a dataset
    worker       the process that measures one configuration, so that no row disturbs another
    run          which configurations there are; starts a worker for each
    machine      what it ran on
    compare      against an earlier run
    show         tables and plots

It runs the engine and the completer that the server runs, and needs neither an editor nor torch.
"""
