"""The edge end of sync: the office's facts go to central, central's rows come down."""
