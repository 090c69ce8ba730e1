// A task in its parsed form: every default filled in, every unit resolved (ms, bytes, fractions).
// `parse.ts` makes it from YAML; nothing else reads the YAML's own shape.

import type { TaskId } from "../id.js";
import type { CheckSpec, DedupeSpec } from "./check-spec.js";
import type { ConvertSpec, DecodeSpec, TextSpec, TimeSpec } from "./decode-spec.js";
import type { LabelSpec, RowsSpec } from "./examples-spec.js";
import type { JoinSpec } from "./join-spec.js";
import type { MetricName, MonitorSpec, RolloutSpec } from "./release-spec.js";
import type { ScaleSpec } from "./scale-spec.js";
import type { SelectSpec } from "./select-spec.js";

export type * from "./examples-spec.js";
export type * from "./release-spec.js";
export type * from "./scale-spec.js";
export type * from "./select-spec.js";

/** What is learned: pipeline, model, training plan and policy. */
export interface Task {
  readonly task: TaskId;
  /** Which thing a reading measures, from topic levels: "{topic.1}". Default "{device}". */
  readonly entity: string;
  readonly sources: Readonly<Record<string, SourceSpec>>;
  readonly steps: Readonly<Record<string, StepSpec>>;
  readonly joins: Readonly<Record<string, JoinSpec>>;
  readonly features: FeaturesSpec;
  readonly label: LabelSpec;
  readonly rows: RowsSpec;
  /** With candidates: what those leave out, and the first one's where nothing else is said. */
  readonly model: ModelSpec;
  readonly train: TrainSpec;
  /** Models to choose between, by name, and how; both or neither are there. */
  readonly candidates: Readonly<Record<string, CandidateSpec>> | undefined;
  readonly select: SelectSpec | undefined;
  readonly rounds: RoundsSpec;
  readonly evaluate: EvaluateSpec;
  readonly aggregate: AggregateSpec;
  readonly rollout: RolloutSpec;
  /** How devices watch their model and their data; undefined: they do not, and send no reports. */
  readonly monitor: MonitorSpec | undefined;
  readonly simulate: SimulateSpec | undefined;
}

/** A model that is tried, and how it is trained: a candidate of the task, whole. */
export interface CandidateSpec {
  readonly model: ModelSpec;
  readonly train: TrainSpec;
}

/** Where readings come from, how they are read and how their time is treated. */
export interface SourceSpec {
  /** MQTT topic filter, undefined when the source is fed in another way. */
  readonly mqtt: string | undefined;
  /** The device itself is measured, as often as this; undefined when the source is another. */
  readonly host: { readonly everyMs: number } | undefined;
  readonly decode: DecodeSpec;
  readonly time: TimeSpec;
  /** Vector fields and their lengths; every other field is one number. */
  readonly vectors: Readonly<Record<string, number>>;
  /** Its readings are about every entity: the weather over all sites. */
  readonly isShared: boolean;
  /** Fields that are text in the message, and the number each text becomes. */
  readonly text: Readonly<Record<string, TextSpec>>;
  /** Fields that come in another unit: value x times + plus. */
  readonly convert: Readonly<Record<string, ConvertSpec>>;
  /** This source's own template; undefined: the task's. */
  readonly entity: string | undefined;
  /** Where in the message the id of the prediction is that it answers. */
  readonly id: string | undefined;
  readonly late: LatePolicy;
  /** By field, before anything is made of its values. */
  readonly checks: Readonly<Record<string, CheckSpec>>;
  readonly dedupe: DedupeSpec | undefined;
}

export interface LatePolicy {
  /** How far behind the newest event time a reading may come and still be put in order. */
  readonly disorderMs: number;
  /** What happens to a later one: dropped, kept aside, or put in and what it changes made again. All are counted. */
  readonly then: "drop" | "side" | "update";
  /** update: how far behind the watermark a reading may still come. */
  readonly allowedMs: number;
  /** After this long without data (mapped clock) a source no longer holds the watermark back. */
  readonly idleMs: number;
  /** A reading this far ahead of the mapped clock is refused. */
  readonly futureMs: number;
  /** A reading this far behind the mapped clock is refused: of a clock that was never set. */
  readonly ancientMs: number;
}

/** A chain of row operators. `from` names a source, a step or a join. */
export interface StepSpec {
  readonly from: string;
  readonly do: readonly OperatorCall[];
}

/** One operator with its own parsed parameters; the registry knows the parameters' type. */
export interface OperatorCall {
  readonly op: string;
  readonly params: unknown;
}

export interface FeaturesSpec {
  /** A source, a step or a join. */
  readonly from: string;
  readonly list: readonly OperatorCall[];
  /** A row without some value gives no features, or has 0 for it and 1 in the column `<name>_missing`. */
  readonly missing: "drop" | "mask";
  readonly scale: ScaleSpec;
}

/** A dense network, or any tfjs LayersModel topology (the object under `modelTopology` of a model.json). */
export type ModelSpec =
  | {
      readonly kind: "dense";
      readonly hidden: readonly number[];
      readonly activation: HiddenActivation;
      readonly output: OutputSpec;
    }
  | {
      readonly kind: "autoencoder";
      /** Widths of the encoder; the decoder has them in reverse. */
      readonly encoder: readonly number[];
      readonly activation: HiddenActivation;
      readonly output: OutputSpec;
    }
  | {
      readonly kind: "stacked";
      /** What reads the row as a sequence or an image, before the hidden dense layers. */
      readonly front: FrontSpec;
      readonly hidden: readonly number[];
      readonly activation: HiddenActivation;
      /** Share of values dropped before the output layer while training; 0: none. */
      readonly dropout: number;
      readonly output: OutputSpec;
    }
  | { readonly kind: "layers"; readonly topology: JsonObject; readonly output: OutputSpec };

export type HiddenActivation = "relu" | "tanh" | "sigmoid" | "linear";

/** Layers that read a row of columns as `steps` of some channels each, or as an image of `shape`. */
export type FrontSpec =
  | { readonly kind: "none" }
  | {
      readonly kind: "conv1d";
      readonly steps: number;
      readonly filters: readonly number[];
      readonly kernel: number;
      readonly pool: number;
    }
  | { readonly kind: "gru" | "lstm"; readonly steps: number; readonly units: readonly number[] }
  | {
      readonly kind: "cnn";
      /** Height, width, channels. */
      readonly shape: readonly number[];
      readonly filters: readonly number[];
      readonly kernel: number;
      readonly pool: number;
    };

export type OutputSpec =
  | { readonly kind: "regression"; readonly loss: RegressionLoss }
  | { readonly kind: "classification"; readonly classes: number }
  /** One probability: that the label, 0 or 1, is 1. */
  | { readonly kind: "binary" }
  /** The scaled row itself: of an autoencoder. */
  | { readonly kind: "reconstruction"; readonly loss: RegressionLoss };

/** Huber's delta is 1. */
export type RegressionLoss = "meanSquaredError" | "meanAbsoluteError" | "huber";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export interface TrainSpec {
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: OptimizerSpec;
  readonly clip?: ClipSpec | undefined;
}

/** Defaults are those of tfjs. */
export type OptimizerSpec =
  | { readonly kind: "sgd"; readonly learningRate: number }
  | {
      readonly kind: "momentum";
      readonly learningRate: number;
      readonly momentum: number;
      readonly nesterov?: boolean;
    }
  | { readonly kind: "adam"; readonly learningRate: number }
  | { readonly kind: "rmsprop"; readonly learningRate: number; readonly decay: number }
  | { readonly kind: "adagrad"; readonly learningRate: number };

/** Bounds a gradient: its Euclidean length over all params, or each of its values. */
export type ClipSpec =
  | { readonly kind: "norm"; readonly max: number }
  | { readonly kind: "value"; readonly max: number };

/** How many of the known devices a round asks for. */
export type CohortSpec =
  | { readonly kind: "all" }
  | { readonly kind: "fraction"; readonly fraction: number }
  | { readonly kind: "count"; readonly count: number };

export interface RoundsSpec {
  readonly cohort: CohortSpec;
  /** Devices that must have said hello before the first round opens, at least 1. */
  readonly minDevices: number;
  /** Extra devices asked, as a fraction of the cohort (Bonawitz et al. 2019, sec. 4.2 use 0.3). */
  readonly overSelect: number;
  /** Fraction of the cohort (without over-selection) whose updates close a round at its deadline. */
  readonly quorum: number;
  readonly deadlineMs: number;
  /** A member silent for this long after its offer is replaced; its update still counts while the round is open. */
  readonly leaseMs: number;
  /** Train rounds in all. */
  readonly max: number;
  /** A train round opens no sooner than this after the one before did; 0: as soon as it can. */
  readonly everyMs: number;
  /** A device with fewer train examples is not eligible. */
  readonly minExamples: number;
  readonly stop: StopSpec | undefined;
}

/** Ends training early: at the target, or after `patience` evaluations without a new best. */
export interface StopSpec {
  readonly metric: MetricName;
  readonly target: number | undefined;
  readonly patience: number | undefined;
}

export interface EvaluateSpec {
  /** An evaluate round after every so many train rounds. */
  readonly every: number;
  readonly cohort: CohortSpec;
  readonly quorum: number;
  readonly deadlineMs: number;
}

export interface AggregateSpec {
  readonly rule: "mean";
  readonly optimizer: { readonly kind: "sgd"; readonly learningRate: number };
}

/** Only for simulations: outside every hash. Where the data comes from and how it is dealt out. */
export interface SimulateSpec {
  readonly source: SimulatedSource;
  /** Devices, when the data does not decide it. */
  readonly devices: number | undefined;
  readonly partition: PartitionSpec;
  readonly test: GivenTestSpec | undefined;
}

export type SimulatedSource =
  /** A built-in generator of live telemetry, with its own parameters. */
  | { readonly kind: "generator"; readonly name: string; readonly params: JsonObject }
  | {
      readonly kind: "csv";
      /** File name pattern below the data folder; `*` matches within a name. ".gz" is unpacked. */
      readonly files: string;
      /** Lines before the header line, or before the first row when `columns` are given. */
      readonly skip: number;
      readonly columns: readonly string[] | undefined;
      readonly delimiter: "," | ";" | " " | "\t";
      readonly missing: readonly string[];
      readonly time: CsvTimeSpec;
      /** Only rows with `fromMs <= event time < untilMs`; undefined: no bound. A given test set keeps all its rows. */
      readonly fromMs: number | undefined;
      readonly untilMs: number | undefined;
      /** Field of the source -> column of the file. */
      readonly fields: Readonly<Record<string, string>>;
      /** Column whose value names the entity. */
      readonly entity: string | undefined;
      /** Field -> derived value: rows left until the entity's last row. */
      readonly derive: Readonly<Record<string, { readonly kind: "rowsLeft" }>>;
    }
  /** IDX files (MNIST): images as a vector field, labels as a number. Values are divided by `divide`. */
  | {
      readonly kind: "idx";
      readonly images: string;
      readonly labels: string;
      readonly imageField: string;
      readonly labelField: string;
      readonly divide: number;
    };

/** Event time of a CSV row: calendar columns (UTC), one column, or the row's number x `stepMs`. */
export type CsvTimeSpec =
  | { readonly kind: "calendar"; readonly columns: readonly string[] }
  | { readonly kind: "column"; readonly column: string; readonly unit: "s" | "ms" | "iso" }
  | { readonly kind: "index"; readonly column: string | undefined; readonly stepMs: number };

/** How examples' sources are dealt to devices (Hsu et al. 2019 for dirichlet, McMahan et al. 2017 for shards). */
export type PartitionSpec =
  | { readonly kind: "file" }
  | { readonly kind: "entity" }
  | { readonly kind: "iid" }
  | { readonly kind: "dirichlet"; readonly alpha: number }
  | { readonly kind: "shards"; readonly perDevice: number };

/** A test set of its own: files like the source's, optionally with labels in a second file, one per entity. */
export interface GivenTestSpec {
  readonly files: string;
  /** idx: the label file. csv: one number per entity, the label of its last row. */
  readonly labels: string | undefined;
  /** Score every row, or only each entity's last. */
  readonly take: "all" | "last";
}
