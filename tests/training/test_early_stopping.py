from cnnsweep.training.early_stopping import Score


def follow(score: Score, values: list[float]) -> list[bool]:
    return [score.epoch_ended({"epoch": i, "f": v}) for i, v in enumerate(values, start=1)]


def make(figure: str | None = "f", higher: bool = True, patience: int | None = None) -> Score:
    return Score(figure, is_higher_better=higher, patience=patience, min_delta=0.1)


def test_the_earliest_of_equal_epochs_is_the_best() -> None:
    score = make()
    assert follow(score, [0.5, 0.7, 0.7, 0.6]) == [True, True, False, False]
    assert score.best_epoch == 2


def test_a_loss_is_better_when_it_is_lower() -> None:
    score = make(higher=False)
    assert follow(score, [0.5, 0.7, 0.4]) == [True, False, True]


def test_without_a_figure_the_last_epoch_counts() -> None:
    score = make(figure=None)
    follow(score, [0.5, 0.7, 0.4])
    assert score.best_epoch == 3


def test_patience_ends_after_epochs_that_are_hardly_better() -> None:
    score = make(patience=2)
    follow(score, [0.5, 0.55])
    assert not score.is_out_of_patience
    follow(score, [0.58])
    assert score.is_out_of_patience


def test_a_state_that_is_taken_up_goes_on_alike() -> None:
    one, other = make(patience=2), make(patience=2)
    follow(one, [0.5, 0.55])
    other.load_state_dict(one.state_dict())
    follow(other, [0.58])
    assert other.is_out_of_patience
    assert other.best_epoch == 1
