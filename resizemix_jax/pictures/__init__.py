"""Pictures of what a network is shown: pairs of images mixed, and pages of pictures drawn."""
