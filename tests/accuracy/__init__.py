"""How good the predictions are: `make fit` makes the fitted constants, `make accuracy` the page of errors."""
